import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { downloadPath } from '../http/proxied.ts'
import { clientOf } from './client.ts'
import type { Verdaccio } from './host.ts'

const READERS = 20
const WATCHED_MS = 2_500
const MiB = 1024 * 1024
/** All of their files would be 180 MiB; the system's buffers are not counted. */
const MOST_GROWTH_MIB = 60

/** 20 clients that read a large file hardly at all cost about as much memory as 20 that read it at once. */
export async function slowReadersCostNothing(
  t: TestContext,
  verdaccio: Verdaccio,
  { name, version }: { readonly name: string; readonly version: string },
): Promise<void> {
  const client = clientOf(verdaccio.url)
  const fast = await highest(verdaccio, () =>
    Promise.all(Array.from({ length: READERS }, () => client.download(name, version))),
  )
  const sockets: Socket[] = []
  t.after(() => {
    for (const socket of sockets) socket.destroy()
  })
  const slow = await highest(verdaccio, async () => {
    const path = new URL(verdaccio.url).pathname + downloadPath(name, version)
    sockets.push(
      ...(await Promise.all(Array.from({ length: READERS }, () => beginToRead(verdaccio.origin, path)))),
    )
    await sleep(WATCHED_MS)
  })
  assert.ok(slow - fast < MOST_GROWTH_MIB, `${slow} MiB with slow readers, ${fast} MiB with fast ones`)
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
