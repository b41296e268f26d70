/** What was started has an end. */
interface Started {
  stop(): Promise<unknown>
}

/** What is to be ended, the last one first. */
export interface Endings {
  add(end: () => Promise<unknown>): void
  /** Waits for what starts side by side; when one fails, for the others too, so that they can be ended. */
  started<T extends readonly Started[]>(...starting: { [K in keyof T]: Promise<T[K]> }): Promise<T>
  close(): Promise<void>
}

export function createEndings(): Endings {
  const endings: (() => Promise<unknown>)[] = []
  return {
    add: (end) => void endings.push(end),
    async started<T extends readonly Started[]>(...starting: { [K in keyof T]: Promise<T[K]> }) {
      const known = starting.map(async (one: Promise<Started>) => {
        const server = await one
        endings.push(() => server.stop())
      })
      await Promise.allSettled(known)
      return (await Promise.all(starting)) as T
    },
    async close() {
      for (const end of endings.splice(0).reverse()) await end()
    },
  }
}
