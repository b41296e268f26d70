import { fsStorage } from '../../src/hosts/fs.ts'

/** A second process on a store's folder. One order at a time; answers are messages too. */
export type Order =
  | { readonly kind: 'race'; readonly key: string; readonly writers: number }
  | { readonly kind: 'append'; readonly prefix: string; readonly writers: number }
  | { readonly kind: 'flood'; readonly prefix: string; readonly size: number }

const store = fsStorage(process.argv[2] ?? '')

process.on('message', (order: Order) => {
  switch (order.kind) {
    case 'race':
      return answer(race(order.key, order.writers))
    case 'append':
      return answer(append(order.prefix, order.writers))
    case 'flood':
      return answer(flood(order.prefix, order.size))
  }
})
process.send?.('ready')

function answer(work: Promise<unknown>): void {
  work.then((result) => process.send?.(result))
}

/** How many of the writers made the object. */
async function race(key: string, writers: number): Promise<number> {
  const writes = Array.from({ length: writers }, (_, writer) =>
    store.put(key, Buffer.from(`${process.pid} ${writer}`), { ifAbsent: true }),
  )
  const won = await Promise.all(writes)
  return won.filter(Boolean).length
}

/** Each writer appends one entry to the log of numbered objects; what they wrote. */
async function append(prefix: string, writers: number): Promise<string[]> {
  let last = 0
  async function one(entry: string): Promise<string> {
    for (;;) {
      const number = last + 1
      const isMine = await store.put(logKey(prefix, number), Buffer.from(entry), { ifAbsent: true })
      last = Math.max(last, number)
      if (isMine) return entry
    }
  }
  return Promise.all(Array.from({ length: writers }, (_, writer) => one(`${process.pid} ${writer}`)))
}

/** Writes new objects and overwrites one, until killed; tells each key that is durable. */
async function flood(prefix: string, size: number): Promise<never> {
  for (let number = 0; ; number++) {
    const bytes = Buffer.alloc(size, number % 256)
    const key = `${prefix}${process.pid}/${number}`
    await Promise.all([store.put(key, bytes, { ifAbsent: true }), store.put(`${prefix}same`, bytes)])
    process.send?.(key)
  }
}

function logKey(prefix: string, number: number): string {
  return prefix + String(number).padStart(8, '0')
}
