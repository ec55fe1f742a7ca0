/** @module Runs asynchronous tasks one after the other, in the order they were handed in. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();
  /** Tasks that are not over. */
  #pending = 0;

  /** Settles as the task does, which begins at once where none is under way; a failed task does not stop the ones behind it. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const isFirst = this.#pending === 0;
    this.#pending += 1;
    const result = isFirst ? task() : this.#last.then(task);
    const over = (): void => {
      this.#pending -= 1;
    };
    this.#last = result.then(over, over);
    return result;
  }
}
