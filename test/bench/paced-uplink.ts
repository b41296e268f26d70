import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { renderIndexConfig } from '../../src/protocol/index-config.ts'
import { type IndexEntry, renderLine } from '../../src/protocol/index-entry.ts'
import { randomBytesFrom, randomFrom } from '../support/random.ts'

/** Time until the first byte of a `.crate` file; the others come at a pace, in steps. */
const FIRST_BYTE_MS = 20
const BYTES_PER_MS = 20_000
const STEP_MS = 5
const MARK = 16

/** An uplink not far away, with any crate one asks for, in a process of its own. */
export interface PacedUplink {
  /** The URL of the index, with its final slash. */
  readonly index: string
  /** Where a `.crate` file is. */
  crateUrl(name: string): string
  /** How many `.crate` files were asked for since the last call. */
  takeFetches(): Promise<number>
  stop(): Promise<void>
}

/** The name of a crate whose file has so many bytes. */
export function pacedName(bytes: number, number: string): string {
  return `cold-${bytes}-${number}`
}

export async function startPacedUplink(): Promise<PacedUplink> {
  const child = fork(import.meta.filename, ['serve'])
  const ended = once(child, 'exit')
  const [origin] = await once(child, 'message')
  return {
    index: `${origin}/index/`,
    crateUrl: (name) => `${origin}/crates/${name}/1.0.0/download`,
    async takeFetches() {
      const answer = once(child, 'message')
      child.send('fetches')
      return Number((await answer)[0])
    },
    async stop() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}

/** The process: answers until its parent leaves. */
async function serve(): Promise<void> {
  const noise = randomBytesFrom(randomFrom(1), 10_000_000)
  const sums = new Map<number, ReturnType<typeof createHash>>()
  let fetches = 0

  /** Files differ in their last bytes only, so that their checksums cost one file's. */
  function lineOf(name: string): string {
    const bytes = sizeOf(name)
    const common = sums.get(bytes) ?? createHash('sha256').update(noise.subarray(0, bytes - MARK))
    sums.set(bytes, common)
    const cksum = common.copy().update(markOf(name)).digest('hex')
    const entry: IndexEntry = { name, vers: '1.0.0', deps: [], cksum, features: {}, yanked: false }
    return `${renderLine(entry)}\n`
  }

  async function send(response: ServerResponse, name: string): Promise<void> {
    const bytes = sizeOf(name)
    response.writeHead(200, { 'content-type': 'application/gzip', 'content-length': bytes })
    const due = performance.now() + FIRST_BYTE_MS
    const step = BYTES_PER_MS * STEP_MS
    for (let at = 0; at < bytes - MARK; at += step) {
      await sleep(Math.max(0, due + at / BYTES_PER_MS - performance.now()))
      response.write(noise.subarray(at, Math.min(at + step, bytes - MARK)))
    }
    response.end(markOf(name))
  }

  const server = createServer((request, response) => {
    const [, place, ...rest] = (request.url ?? '').split('/')
    const name = (place === 'index' ? rest.at(-1) : rest[0]) ?? ''
    if (name === 'config.json') return void response.end(renderIndexConfig({ dl: `${origin}/crates` }))
    if (!(sizeOf(name) > MARK)) return void response.writeHead(404).end()
    if (place === 'index') return void response.end(lineOf(name))
    fetches += 1
    void send(response, name)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  process.on('disconnect', () => process.exit())
  process.on('message', () => {
    process.send?.(fetches)
    fetches = 0
  })
  process.send?.(origin)
}

function sizeOf(name: string): number {
  return Math.min(Number(name.split('-')[1]), 10_000_000)
}

function markOf(name: string): string {
  return name.padEnd(MARK, '.').slice(-MARK)
}

const [, file, argument] = process.argv
if (file === import.meta.filename && argument !== undefined) await serve()
