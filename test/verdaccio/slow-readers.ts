import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { downloadPath } from '../http/proxied.ts'
import { crateFile, publishBody } from '../support/crate-file.ts'
import { clientOf } from './client.ts'
import type { Verdaccio } from './host.ts'

const READERS = 20
const WATCHED_MS = 2_500
const MiB = 1024 * 1024
/** The system's buffers take up to 4 MiB of each, in memory that is not the process's. */
const LARGE_BYTES = 30 * MiB
/** Their files would be more than 500 MiB beyond those buffers. */
const MOST_GROWTH_MIB = 100
const [NAME, VERSION] = ['slowly-read', '1.0.0']

/** 20 clients that read a large file hardly at all cost about as much memory as those that read it one by one. */
export async function slowReadersCostNothing(
  t: TestContext,
  verdaccio: Verdaccio,
  token: string,
): Promise<void> {
  const file = crateFile(NAME, VERSION).add(`${NAME}-${VERSION}/noise`, randomBytes(LARGE_BYTES))
  assert.equal(await upload(verdaccio.url, token, publishBody(file)), 200)
  const client = clientOf(verdaccio.url)
  const fast = await highest(verdaccio, async () => {
    for (let n = 0; n < 3; n++) await client.download(NAME, VERSION)
  })
  const sockets: Socket[] = []
  t.after(() => {
    for (const socket of sockets) socket.destroy()
  })
  const slow = await highest(verdaccio, async () => {
    const path = new URL(verdaccio.url).pathname + downloadPath(NAME, VERSION)
    sockets.push(
      ...(await Promise.all(Array.from({ length: READERS }, () => beginToRead(verdaccio.origin, path)))),
    )
    await sleep(WATCHED_MS)
  })
  assert.ok(slow - fast < MOST_GROWTH_MIB, `${slow} MiB with slow readers, ${fast} MiB with fast ones`)
}

/** The status of a publish over a connection of its own: another may have been closed while the crate was made. */
function upload(url: string, token: string, body: Buffer): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: token, 'content-length': body.length }
    const options = { method: 'PUT', agent: false, headers }
    request(`${url}/api/v1/crates/new`, options, (response) => {
      response.resume().on('end', () => resolve(response.statusCode))
    })
      .on('error', reject)
      .end(body)
  })
}

/** Asks, and stops reading with the first bytes of the answer. */
function beginToRead(origin: string, path: string): Promise<Socket> {
  const { hostname, port } = new URL(origin)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    socket.on('error', reject)
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`)
    socket.once('data', (head: Buffer) => {
      socket.pause()
      if (head.toString('latin1').startsWith('HTTP/1.1 200')) resolve(socket)
      else reject(new Error(head.toString('latin1')))
    })
  })
}

/** The most memory that the process had while something ran, in MiB. */
async function highest({ pid }: Verdaccio, during: () => Promise<unknown>): Promise<number> {
  let [most, isOver] = [0, false]
  const watch = async () => {
    while (!isOver) {
      most = Math.max(most, await memoryOf(pid()))
      await sleep(25)
    }
  }
  const watching = watch()
  await during().finally(() => {
    isOver = true
  })
  await watching
  return Math.round(most / MiB)
}

async function memoryOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
}
