/** Calls listeners of named events, each with one value. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(value: never) => void>>();

  /** Calls `listener` at each `event` until the function that this returns is called. */
  on<Name extends keyof Events>(event: Name, listener: (value: Events[Name]) => void): () => void {
    let listeners = this.#listeners.get(event);
    if (!listeners) this.#listeners.set(event, (listeners = new Set()));
    listeners.add(listener);
    return () => this.off(event, listener);
  }

  /** As {@link on}, for the next `event` alone. */
  once<Name extends keyof Events>(event: Name, listener: (value: Events[Name]) => void): () => void {
    const off = this.on(event, (value) => {
      off();
      listener(value);
    });
    return off;
  }

  /** Calls `listener` no more. */
  off<Name extends keyof Events>(event: Name, listener: (value: Events[Name]) => void): void {
    this.#listeners.get(event)?.delete(listener);
  }

  /** @internal */
  emit<Name extends keyof Events>(event: Name, value: Events[Name]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      try {
        (listener as (value: Events[Name]) => void)(value);
      } catch (error) {
        // A listener's mistake is its application's to see, and must not stop the others.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
