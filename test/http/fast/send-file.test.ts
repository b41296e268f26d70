import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import Koa from 'koa'
import type { ObjectStore } from '../../../src/host.ts'
import { createAuth } from '../../../src/hosts/auth.ts'
import { fsStorage } from '../../../src/hosts/fs.ts'
import { cargo } from '../../../src/plugin.ts'
import { type App, startApp } from '../../support/app.ts'
import { crateFile } from '../../support/crate-file.ts'
import { until } from '../../support/until.ts'
import { connectOverHttp2 } from './over-http2.ts'

const MiB = 1024 * 1024
const DOWNLOAD = '/api/v1/crates/huge/1.0.0/download'
const READERS = 100
const OPTIONS = {
  limits: { crate: '64MiB' },
  packages: { '**': { access: '$all', publish: '$all' } },
} as const

interface Watched {
  readonly storage: ObjectStore
  /** Files that are open for positional reads. */
  readonly open: Set<string>
  /** How many were since the first answer. */
  count: number
  /** How often something was read of them. */
  reads: number
  /** Reads beyond find nothing. */
  end: number
}

async function watchedFiles(t: TestContext): Promise<Watched> {
  const folder = await mkdtemp(join(tmpdir(), 'send-file-'))
  t.after(() => rm(folder, { recursive: true }))
  const files = fsStorage(folder)
  const watched: Watched = {
    storage: { ...files, open },
    open: new Set(),
    count: 0,
    reads: 0,
    end: Number.POSITIVE_INFINITY,
  }
  async function open(key: string) {
    const file = await files.open(key)
    if (file === undefined) return undefined
    watched.count += 1
    const id = `${key} ${watched.count}`
    watched.open.add(id)
    const close = async () => {
      watched.open.delete(id)
      await file.close()
    }
    const read = async (bytes: Uint8Array, position: number) => {
      watched.reads += 1
      return position > watched.end ? 0 : file.read(bytes, position)
    }
    return { ...file, read, close }
  }
  return watched
}

/** An app with a crate of so many bytes, which was read once: by now it is known to be whole. */
async function startWith(
  t: TestContext,
  bytes: number,
): Promise<{ app: App; watched: Watched; sum: string }> {
  const watched = await watchedFiles(t)
  const app = await startApp(t, { options: OPTIONS, host: { storage: watched.storage } })
  const published = await app.publish(
    crateFile('huge', '1.0.0').add('huge-1.0.0/data.bin', randomBytes(bytes)),
  )
  assert.equal(published.status, 200, published.text)
  const sum = await sumOf(app.url)
  // How large it is was looked at.
  watched.count = 0
  return { app, watched, sum }
}

async function sumOf(url: string): Promise<string> {
  const body = Buffer.from(await (await fetch(url + DOWNLOAD)).arrayBuffer())
  return createHash('sha256').update(body).digest('hex')
}

/** What the plugin logged; that clients leave is Koa's to say. */
function messagesOf({ errors }: App): readonly string[] {
  return errors.map(({ message }) => message).filter((message) => message !== 'koa')
}

/** A client that asks, and reads nothing of the answer. */
function stalled(url: string): Promise<Socket> {
  const { hostname, port, pathname } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    socket.once('error', reject)
    socket.pause()
    socket.write(`GET ${pathname}${DOWNLOAD} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`, () => resolve(socket))
  })
}

test('a hundred readers that stall take little memory, and the files of those who leave are closed', async (t) => {
  const { app, watched, sum } = await startWith(t, 32 * MiB)
  assert.equal(await sumOf(app.url), sum)
  assert.equal(watched.count, 1)
  const before = process.memoryUsage().arrayBuffers
  const sockets = await Promise.all(Array.from({ length: READERS }, () => stalled(app.url)))
  await until(() => watched.open.size, READERS, 30_000)
  const grown = process.memoryUsage().arrayBuffers - before
  assert.ok(grown < 40 * MiB, `${Math.round(grown / MiB)} MiB for ${READERS} readers`)
  assert.equal(await sumOf(app.url), sum, 'others are served meanwhile')
  for (const socket of sockets) socket.destroy()
  await until(() => watched.open.size, 0, 30_000)
  assert.deepEqual(messagesOf(app), [])
})

test('what is asked for again and again is read no more, for those who read on as for those who stall', async (t) => {
  const { app, watched, sum } = await startWith(t, 5 * MiB)
  for (let i = 0; i < 2; i++) assert.equal(await sumOf(app.url), sum)
  assert.ok(watched.reads >= 12, `${watched.reads} reads`)
  const before = watched.reads
  // More than have large buffers.
  const sums = await Promise.all(Array.from({ length: 40 }, () => sumOf(app.url)))
  assert.deepEqual([...new Set(sums)], [sum])
  assert.equal(watched.reads, before)
  await until(() => watched.open.size, 0)
  await app.publish(crateFile('huge', '1.0.1').add('huge-1.0.1/data.bin', randomBytes(3 * MiB)))
  assert.equal(await sumOf(app.url), sum)
})

test('a file that ends early is cut short: nobody takes a part for the whole', async (t) => {
  const { app, watched } = await startWith(t, 4 * MiB)
  watched.end = 2 * MiB
  await assert.rejects(sumOf(app.url))
  await until(() => messagesOf(app), ['a crate file could not be sent to its end'])
  await until(() => watched.open.size, 0)
})

test('many files at a time over one connection of HTTP/2 are whole', async (t) => {
  const { watched, sum } = await startWith(t, 3 * MiB)
  const plugin = cargo({ auth: createAuth({}), storage: watched.storage }, OPTIONS)
  const koa = new Koa().use(plugin)
  const session = await connectOverHttp2(t, koa, plugin)
  const get = async () => {
    const bytes = await buffer(session.request({ ':path': `/cargo${DOWNLOAD}` }))
    return createHash('sha256').update(bytes).digest('hex')
  }
  assert.equal(await get(), sum)
  const before = watched.count
  const sums = await Promise.all(Array.from({ length: 20 }, get))
  assert.deepEqual([...new Set(sums)], [sum])
  assert.equal(watched.count - before, 20)
  await until(() => watched.open.size, 0)
})
