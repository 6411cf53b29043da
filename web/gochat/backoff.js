/** Says how long to wait before the next attempt, so that those whom one outage cut off don't come back in one instant. */

const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/**
 * Full jitter: anything between nothing and a bound that doubles with each attempt, the first of which is 0
 * (AWS Architecture Blog, "Exponential Backoff And Jitter").
 * @param {number} attempt
 * @param {() => number} [random]
 */
export const backoffMs = (attempt, random = Math.random) => random() * Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
