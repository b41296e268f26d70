// An uplink in a process of its own: `node memory-uplink.ts <crates> <bytes>`. It prints a line of JSON when it listens.
import { createHash } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { renderIndexConfig } from '../../src/protocol/index-config.ts'
import { type IndexEntry, renderLine } from '../../src/protocol/index-entry.ts'
import { indexPath } from '../../src/protocol/name.ts'
import { randomBytesFrom, randomFrom } from '../support/random.ts'

const BLOCK = 1024 * 1024
const VERSION = '1.0.0'

/** What is printed: where the index is, and the crates with their checksums. */
export interface MemoryUplink {
  readonly index: string
  readonly crates: readonly { readonly name: string; readonly version: string; readonly cksum: string }[]
}

const [crates = 0, bytes = 0] = process.argv.slice(2).map(Number)
const block = randomBytesFrom(randomFrom(1), BLOCK)
/** Files differ in their last block only, so that their checksums cost one file's. */
const last = Array.from({ length: crates }, (_, n) => randomBytesFrom(randomFrom(n + 2), BLOCK))
const blocks = Math.round(bytes / BLOCK)
const common = createHash('sha256')
for (let n = 1; n < blocks; n++) common.update(block)
const files = last.map((end, n) => {
  const cksum = common.copy().update(end).digest('hex')
  return { name: `big-${n}`, version: VERSION, cksum, end }
})

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? '', 'http://localhost')
  if (pathname === '/index/config.json')
    return void response.end(renderIndexConfig({ dl: `${origin}/crates` }))
  for (const file of files) {
    if (pathname === `/index/${indexPath(file.name)}`) return void response.end(lineOf(file))
    if (pathname === `/crates/${file.name}/${VERSION}/download`) return void send(response, file.end)
  }
  response.writeHead(404).end()
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const printed: MemoryUplink = { index: `${origin}/index/`, crates: files.map(({ end: _, ...file }) => file) }
process.stdout.write(`${JSON.stringify(printed)}\n`)

function lineOf({ name, cksum }: { readonly name: string; readonly cksum: string }): string {
  const entry: IndexEntry = { name, vers: VERSION, deps: [], cksum, features: {}, yanked: false }
  return `${renderLine(entry)}\n`
}

async function send(response: ServerResponse, end: Buffer): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/gzip', 'content-length': blocks * BLOCK })
  await pipeline(Readable.from(content(end), { objectMode: false }), response).catch(() => {})
}

function* content(end: Buffer): Generator<Buffer> {
  for (let n = 1; n < blocks; n++) yield block
  yield end
}
