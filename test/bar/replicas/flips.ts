import { buffer } from 'node:stream/consumers'
import type { ObjectStore } from '../../../src/host.ts'
import { crateFile } from '../../support/crate-file.ts'
import { between, pick, type Random, randomFrom } from '../../support/random.ts'
import { exactly, type Figure, note } from '../figures.ts'
import type { KillableServer } from '../killable-server.ts'
import { problemFigures } from '../last-figures.ts'
import { fetchCrate, readIndex, sendCrate } from '../registry-client.ts'
import { type Context, type Place, startReplica } from './place.ts'

const SEED = 20_261_129
/** Parts of the storage in which everything is checked. */
const CHECKED = ['crates/', 'blobs/', 'checkpoints/', 'catalogue/']
const VERSIONS = 3
/** With so many there is a checkpoint. */
const MANY = 40

/** Single bits turned over in a registry's storage: how many of the objects `verify` names, and whether any is served. */
export async function flipFigures(
  context: Context,
  place: Place,
  { flips }: { readonly flips: number },
): Promise<readonly Figure[]> {
  const random = randomFrom(SEED)
  const server = await startReplica(context, place)
  const names = Array.from({ length: Math.ceil(flips / 4) }, (_, n) => `flipped-${n}`)
  for (const [nth, name] of names.entries())
    for (let n = 0; n < (nth === 0 ? MANY : VERSIONS); n++)
      if ((await sendCrate(server, crateFile(name, `1.0.${n}`))) !== 200) throw new Error('not published')
  const truth = new Map<string, string>()
  for (const name of names) truth.set(name, JSON.stringify(await readIndex(server, name)))
  await server.stop()
  const before = await server.verify()
  if (!before.isWell) throw new Error(before.text)
  const store = await place.open()
  const flipped = choose(random, await keysOf(store), flips)
  for (const key of flipped) await flip(random, store, key)
  const { text } = await server.verify()
  const missed = flipped.filter((key) => !text.includes(key))
  await server.start()
  const { right, refused, served } = await readAll(server, truth)
  const title = `${place.name}: bits turned over`
  return [
    note(`${title}, each in an object of its own`, String(flipped.length)),
    exactly(`${title}: not found by \`verify\``, missed.length, 0),
    note(`${title}: answers of a fresh process: right, and refused with 5xx`, `${right}, ${refused}`),
    exactly(`${title}: answers of a fresh process: wrong, shorter or absent`, served.length, 0),
    ...problemFigures([...missed, ...served]),
  ]
}

/** Index and crate files by what they were: the JSON of the lines by name. */
async function readAll(server: KillableServer, truth: ReadonlyMap<string, string>) {
  const served: string[] = []
  let [right, refused] = [0, 0]
  for (const [name, expected] of truth) {
    const lines = await readIndex(server, name)
    if (typeof lines === 'string') refused += 1
    else if (JSON.stringify(lines) === expected) right += 1
    else served.push(`${name}: ${JSON.stringify(lines)}`)
    for (const { vers, cksum } of JSON.parse(expected)) {
      const got = await fetchCrate(server, name, vers).catch(() => undefined)
      if (got === undefined || got.status >= 500) refused += 1
      else if (got.status === 200 && got.cksum === cksum) right += 1
      else served.push(`${name}@${vers}: ${got.status} ${got.cksum}`)
    }
  }
  return { right, refused, served }
}

async function keysOf(store: ObjectStore): Promise<readonly string[]> {
  const keys: string[] = []
  for (const prefix of CHECKED) for await (const { key } of store.list(prefix)) keys.push(key)
  return keys
}

function choose(random: Random, keys: readonly string[], count: number): readonly string[] {
  const left = new Set(keys)
  return Array.from({ length: Math.min(count, left.size) }, () => {
    const key = pick(random, [...left])
    left.delete(key)
    return key
  })
}

/** The object is there again with another bit, as nobody who writes it would leave it. */
async function flip(random: Random, store: ObjectStore, key: string): Promise<void> {
  const found = await store.get(key)
  if (found === undefined) throw new Error(`${key} is gone`)
  const bytes = await buffer(found.body)
  const at = between(random, 0, bytes.length)
  bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << between(random, 0, 8)), at)
  await store.put(key, bytes)
}
