import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crateFile } from '../../support/crate-file.ts'
import { between, pick, type Random, randomFrom } from '../../support/random.ts'
import { exactly, type Figure, note } from '../figures.ts'
import { startKillable } from '../killable-server.ts'
import { problemFigures } from '../last-figures.ts'
import { fetchCrate, readIndex, sendCrate } from '../registry-client.ts'
import type { Context } from './place.ts'

const SEED = 20_261_129
/** Folders of the storage in which everything is checked. */
const FOLDERS = ['crates', 'blobs', 'checkpoints', 'catalogue']
const VERSIONS = 3
/** With so many there is a checkpoint. */
const MANY = 40

/** Single bits turned over in a registry's files: how many of the files `verify` names, and whether any is served. */
export async function flipFigures(
  context: Context,
  { flips }: { readonly flips: number },
): Promise<readonly Figure[]> {
  const random = randomFrom(SEED)
  const server = await startKillable(context)
  const names = Array.from({ length: Math.ceil(flips / 4) }, (_, n) => `flipped-${n}`)
  const truth = new Map<string, string>()
  for (const [nth, name] of names.entries())
    for (let n = 0; n < (nth === 0 ? MANY : VERSIONS); n++)
      if ((await sendCrate(server, crateFile(name, `1.0.${n}`))) !== 200) throw new Error('not published')
  for (const name of names) truth.set(name, JSON.stringify(await readIndex(server, name)))
  await server.stop()
  const { data } = server
  const before = await server.verify()
  if (!before.isWell) throw new Error(before.text)
  const flipped = choose(random, filesBelow(data), flips)
  for (const file of flipped) flip(random, join(data, file))
  const { text } = await server.verify()
  const missed = flipped.filter((file) => !text.includes(file))
  await server.start()
  const served: string[] = []
  let [right, refused] = [0, 0]
  for (const name of names) {
    const lines = await readIndex(server, name)
    if (typeof lines === 'string') refused += 1
    else if (JSON.stringify(lines) === truth.get(name)) right += 1
    else served.push(`${name}: ${JSON.stringify(lines)}`)
    for (const { vers, cksum } of JSON.parse(truth.get(name) ?? '[]')) {
      const got = await fetchCrate(server, name, vers).catch(() => undefined)
      if (got === undefined || got.status >= 500) refused += 1
      else if (got.status === 200 && got.cksum === cksum) right += 1
      else served.push(`${name}@${vers}: ${got.status} ${got.cksum}`)
    }
  }
  return [
    note('bits turned over, each in a file of its own', String(flipped.length)),
    exactly('of these not found by `verify`', missed.length, 0),
    note('answers of a fresh process: right, and refused with 5xx', `${right}, ${refused}`),
    exactly('answers of a fresh process: wrong, shorter or absent', served.length, 0),
    ...problemFigures([...missed, ...served]),
  ]
}

function filesBelow(data: string): readonly string[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(data, folder), { recursive: true, withFileTypes: true })
      .filter((it) => it.isFile() && !it.name.startsWith('~'))
      .map((it) => join(it.parentPath, it.name).slice(data.length + 1)),
  )
}

function choose(random: Random, files: readonly string[], count: number): readonly string[] {
  const left = new Set(files)
  return Array.from({ length: Math.min(count, left.size) }, () => {
    const file = pick(random, [...left])
    left.delete(file)
    return file
  })
}

function flip(random: Random, path: string): void {
  const bytes = readFileSync(path)
  const at = between(random, 0, bytes.length)
  bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << between(random, 0, 8)), at)
  writeFileSync(path, bytes)
}
