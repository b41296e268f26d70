/** Work that several ask for at once and that is done once. */
export interface SingleFlight<T> {
  /** The work that runs for `key`; started by whoever comes first. */
  run(key: string, work: () => Promise<T>): Promise<T>
  /** Waits until nothing runs. */
  settled(): Promise<void>
}

export function singleFlight<T>(): SingleFlight<T> {
  const running = new Map<string, Promise<T>>()
  return {
    run(key, work) {
      const found = running.get(key)
      if (found !== undefined) return found
      const started = work().finally(() => running.delete(key))
      running.set(key, started)
      return started
    },
    async settled() {
      await Promise.allSettled([...running.values()])
    },
  }
}
