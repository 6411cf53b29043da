/** Lets one page of a browser be the client at a time: they share one login, one outbox and one connection. */

const LOCK = "gochat";

/**
 * Makes this page the active one. `onActive` is called when it is, at once or as soon as the active one is closed;
 * `onPassive` when another one is, now or later.
 *
 * A device has one connection: a second page with the same login would take it from the first, and both would fight.
 * @param {{onActive: () => void, onPassive: () => void}} callbacks
 * @returns {() => void} takes over from whichever page is active
 */
export function becomeActive({ onActive, onPassive }) {
  const hold = () => {
    onActive();
    return new Promise(() => {}); // until this page is closed, or another one steals the lock
  };
  const lost = () => {
    onPassive();
    navigator.locks.request(LOCK, hold).catch(lost);
  };
  navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => (lock ? hold() : lost())).catch(lost);
  return () => void navigator.locks.request(LOCK, { steal: true }, hold).catch(lost);
}
