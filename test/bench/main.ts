import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { indexPath } from '../../src/protocol/name.ts'
import { publishBody } from '../support/crate-file.ts'
import { ensureTools } from '../support/tools.ts'
import { FIRST_VERSION, NAME, newCrate, readCrates } from './crates.ts'
import { keep, regressions } from './kept.ts'
import { CONNECTIONS, load, type Upload, upload } from './load.ts'
import { startNginx } from './nginx.ts'
import type { Server } from './process.ts'
import { startRegistry, TOKEN } from './registry.ts'
import { type Result, renderTable } from './table.ts'

const INDEX = `/${indexPath(NAME)}`
const ABSENT = `/${indexPath('not-there')}`
const DOWNLOAD = `/api/v1/crates/${NAME}/${FIRST_VERSION}/download`

const quick = process.argv.includes('--quick')
const ROUNDS = quick ? 3 : 9
const SECONDS = quick ? 1 : 2
const PUBLISHES = quick ? 60 : 200

await ensureTools(['nginx', 'wrk'])
const folder = await mkdtemp(join(tmpdir(), 'cargo-bench-'))
const servers: Server[] = []
try {
  await measure()
} finally {
  for (const server of servers) await server.stop()
  await rm(folder, { recursive: true, force: true })
}

async function measure(): Promise<void> {
  const registry = await startRegistry(folder)
  servers.push(registry)
  await upload(readCrates().map((crate) => publish(registry.url, publishBody(crate))))
  const files = {
    [INDEX]: await bytesOf(registry.url + INDEX),
    [DOWNLOAD]: await bytesOf(registry.url + DOWNLOAD),
  }
  const nginx = await startNginx(folder, files)
  servers.push(nginx)

  const reads = [
    { name: `index 200, ${size(files[INDEX])}`, path: INDEX, status: 200 },
    { name: 'index 200, gzip', path: INDEX, status: 200, headers: { 'Accept-Encoding': 'deflate, gzip' } },
    { name: 'index 304', path: INDEX, status: 304 },
    { name: 'index 404', path: ABSENT, status: 404 },
    { name: `.crate, ${size(files[DOWNLOAD])}`, path: DOWNLOAD, status: 200 },
  ]
  const results = [...reads.map(({ name }) => name), 'publish, 60 KB (nginx: PUT)'].map(emptyResult)
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, { path, status, headers }] of reads.entries()) {
      await both(results[i], round, (server) => read(server.url + path, status, headers))
    }
    await both(results.at(-1), round, (server) => publishMany(server, server === registry, round))
  }
  const rounds = `${ROUNDS} rounds of ${SECONDS} s in turns, ${CONNECTIONS} connections`
  const table = renderTable(results)
  process.stdout.write(`${rounds}\n\n${table}`)
  if (!quick) return keep(table, rounds, [`Node ${process.version}`, await nginxVersion()])
  const worse = await regressions(results)
  for (const text of worse) process.stdout.write(`WORSE ${text}\n`)
  if (worse.length > 0) process.exitCode = 1

  /** One round of a case; who is first changes with the round. */
  async function both(
    result: ReturnType<typeof emptyResult> | undefined,
    round: number,
    rate: (server: Server) => Promise<number>,
  ): Promise<void> {
    for (const server of round % 2 === 0 ? [registry, nginx] : [nginx, registry]) {
      const value = await rate(server)
      result?.[server === registry ? 'ours' : 'nginx'].push(value)
    }
  }
}

function emptyResult(name: string) {
  return { name, ours: [] as number[], nginx: [] as number[] } satisfies Result
}

async function read(url: string, status: number, headers = {}): Promise<number> {
  if (status !== 304) return load({ url, status, headers }, SECONDS)
  const etag = (await fetch(url, { method: 'HEAD' })).headers.get('etag') ?? ''
  return load({ url, status, headers: { 'If-None-Match': etag } }, SECONDS)
}

/** Publishes new crates; to nginx the same bytes go as plain files, unchecked and without fsync. */
async function publishMany(server: Server, isRegistry: boolean, round: number): Promise<number> {
  const uploads = Array.from({ length: PUBLISHES }, (_, i): Upload => {
    const number = round * PUBLISHES + i
    const body = publishBody(newCrate(number))
    return isRegistry
      ? publish(server.url, body)
      : { url: `${server.url}/upload/${number}`, body: Buffer.from(body) }
  })
  return upload(uploads)
}

function publish(url: string, body: Buffer): Upload {
  return {
    url: `${url}/api/v1/crates/new`,
    headers: { Authorization: TOKEN },
    body: Buffer.from(body),
  }
}

async function nginxVersion(): Promise<string> {
  const { stderr } = await promisify(execFile)('nginx', ['-v'])
  return stderr.replace(/^nginx version: /, '').trim()
}

async function bytesOf(url: string): Promise<Uint8Array> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url}: ${response.status}`)
  return new Uint8Array(await response.arrayBuffer())
}

function size(bytes: Uint8Array | undefined): string {
  return `${Math.round((bytes?.length ?? 0) / 1000)} KB`
}
