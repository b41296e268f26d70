import { indexPath } from '../../../src/protocol/name.ts'
import { downloadPath } from '../../http/proxied.ts'
import { type CrateFile, crateFile } from '../../support/crate-file.ts'
import { sha256 } from '../../support/download.ts'
import { pick, type Random } from '../../support/random.ts'
import type { KillableServer } from '../killable-server.ts'
import { sendCrate } from '../registry-client.ts'

/** What readers got. */
export interface Reading {
  answers: number
  /** 200 with other bytes than were published, and anything that is neither 200 nor 5xx. */
  readonly wrong: string[]
  readonly failed: string[]
  /** Milliseconds of each right answer. */
  readonly times: number[]
}

/** A crate, and its index file as the first replica gave it. */
export interface KnownCrate {
  readonly crate: CrateFile
  readonly cksum: string
  readonly index: string
}

/** Publishes crates, and notes what everybody has to get from now on. */
export async function publishKnown(
  through: KillableServer,
  prefix: string,
  count: number,
): Promise<readonly KnownCrate[]> {
  const known: KnownCrate[] = []
  for (let n = 0; n < count; n++) {
    const crate = crateFile(`${prefix}-${n}`)
    const status = await sendCrate(through, crate)
    if (status !== 200) throw new Error(`${crate.name} is answered with ${status}`)
    const response = await fetch(`${through.url()}/${indexPath(crate.name)}`)
    known.push({ crate, cksum: sha256(crate.bytes()), index: await response.text() })
  }
  return known
}

/** Readers of index and crate files at all replicas, until `isOver`. */
export async function read(
  replicas: readonly KillableServer[],
  crates: readonly KnownCrate[],
  { readers, random, isOver }: { readonly readers: number; readonly random: Random; isOver(): boolean },
): Promise<Reading> {
  const reading: Reading = { answers: 0, wrong: [], failed: [], times: [] }
  async function reader(nth: number): Promise<void> {
    const replica = replicas[nth % replicas.length]
    while (replica !== undefined && !isOver())
      await readOne(replica, pick(random, crates), random() < 0.8, reading)
  }
  await Promise.all(Array.from({ length: readers }, (_, nth) => reader(nth)))
  return reading
}

/** Reads an index file or a crate, and notes what came. */
export async function readOne(
  replica: KillableServer,
  { crate: { name, version }, cksum, index }: KnownCrate,
  wantsIndex: boolean,
  reading: Reading,
): Promise<void> {
  const path = wantsIndex ? `/${indexPath(name)}` : downloadPath(name, version)
  const begun = performance.now()
  const answer = await fetch(replica.url() + path)
    .then(async (response) => ({ status: response.status, body: Buffer.from(await response.arrayBuffer()) }))
    .catch((error: unknown) => ({ status: 0, body: Buffer.from(String(error)) }))
  reading.answers += 1
  const { status, body } = answer
  const isRight = status === 200 && (wantsIndex ? body.toString() === index : sha256(body) === cksum)
  if (isRight) reading.times.push(performance.now() - begun)
  else if (status === 0 || status >= 500) reading.failed.push(`${path}: ${status} ${body}`)
  else reading.wrong.push(`${path}: ${status} ${body.subarray(0, 200)}`)
}

export function p99(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN
}
