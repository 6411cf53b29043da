/** Keeps what must outlive a reload: the login, the outbox, the conversations; in IndexedDB, or in memory for tests. */

/**
 * One change of what is kept; without a value the key is removed.
 * @typedef {{store: string, key: string, value?: any}} Change
 */

/** Keeps everything for as long as the object lives. */
export class MemoryStorage {
  /** @type {Map<string, {store: string, key: string, value: any}>} */
  #rows = new Map();

  /** @param {string} store @returns {Promise<any[]>} */
  async readAll(store) {
    return [...this.#rows.values()].filter((row) => row.store === store).map((row) => structuredClone(row.value));
  }

  /** Applies all changes or none. @param {Change[]} changes */
  async write(changes) {
    for (const { store, key, value } of structuredClone(changes)) {
      const name = JSON.stringify([store, key]);
      if (value === undefined) this.#rows.delete(name);
      else this.#rows.set(name, { store, key, value });
    }
  }

  /** @param {string[]} stores */
  async clear(stores) {
    for (const [name, row] of this.#rows) if (stores.includes(row.store)) this.#rows.delete(name);
  }
}

const TABLE = "rows";

/** Keeps everything in one table of the browser's database, under [store, key]; each call is one transaction. */
export class IndexedDbStorage {
  #name;
  /** @type {Promise<IDBDatabase> | undefined} */
  #opening;

  /** @param {string} [name] */
  constructor(name = "gochat") {
    this.#name = name;
  }

  /** @param {string} store @returns {Promise<any[]>} */
  async readAll(store) {
    const transaction = (await this.#open()).transaction(TABLE, "readonly");
    return finished(transaction.objectStore(TABLE).getAll(within(store)));
  }

  /** Applies all changes or none. @param {Change[]} changes */
  async write(changes) {
    await this.#change((table) => {
      for (const { store, key, value } of changes) {
        if (value === undefined) table.delete([store, key]);
        else table.put(value, [store, key]);
      }
    });
  }

  /** @param {string[]} stores */
  async clear(stores) {
    await this.#change((table) => stores.forEach((store) => table.delete(within(store))));
  }

  /** @param {(table: IDBObjectStore) => void} work */
  async #change(work) {
    const transaction = (await this.#open()).transaction(TABLE, "readwrite");
    work(transaction.objectStore(TABLE));
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  }

  /** @returns {Promise<IDBDatabase>} */
  #open() {
    this.#opening ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(this.#name, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(TABLE);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    return this.#opening;
  }
}

/** Every key of a store: arrays are ordered by their members, and no string is greater than an array. */
const within = (/** @type {string} */ store) => IDBKeyRange.bound([store], [store, []]);

/** @param {IDBRequest} request @returns {Promise<any>} */
const finished = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
