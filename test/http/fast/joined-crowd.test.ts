import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import Koa from 'koa'
import { createAuth } from '../../../src/hosts/auth.ts'
import { fsStorage } from '../../../src/hosts/fs.ts'
import { memoryStorage } from '../../../src/hosts/memory.ts'
import { cargo } from '../../../src/plugin.ts'
import { temporaryFolder } from '../../support/cargo.ts'
import { crateFile } from '../../support/crate-file.ts'
import { download, sha256 } from '../../support/download.ts'
import { startUplink } from '../../support/uplink.ts'
import { proxyOptions, settled } from '../proxied.ts'
import { CRATES, FILE, startCold, whileFetching } from './cold-side.ts'
import { connectOverHttp2 } from './over-http2.ts'

const MiB = 1024 * 1024
const READERS = 100
const WAYS = [{ past: 'router' }, { past: 'koa' }, { past: 'koa', keeps: true }] as const

test('who begins or joins a fetch that fails in the middle is cut short, and the log told of each', async (t) => {
  for (const way of WAYS) {
    const cold = await startCold(t, { ...way, crate: CRATES.large })
    cold.uplink.fault(/^\/crates/, { mode: 'reset-at', byte: 200_000 }, 1)
    const answers = await whileFetching(cold, [{}, {}])
    for (const { status, whole } of answers) assert.deepEqual([status, whole], [200, false])
    const told = () =>
      cold.errors.filter(({ message }) => message === 'a crate file could not be sent to its end')
    await settled(() => told().length, 3)
    const [again] = await whileFetching(cold, [])
    assert.equal(again?.body, CRATES.large.bytes().toString('latin1'))
  }
})

test('those who join and leave disturb nobody', async (t) => {
  for (const way of WAYS) {
    const cold = await startCold(t, { ...way, crate: CRATES.large })
    const crowd = Array.from({ length: 20 }, (_, i) => ({ leaveAfter: i % 2 ? 0 : 1000 }))
    const [first, ...answers] = await whileFetching(cold, [...crowd, {}])
    const stayed = answers.at(-1)
    for (const whole of [first, stayed]) assert.equal(whole?.body, CRATES.large.bytes().toString('latin1'))
    assert.deepEqual(cold.errors, [])
  }
})

test('a hundred who join and then stall take little memory, and others are served meanwhile', async (t) => {
  const crate = crateFile('remote', '1.0.0').add('remote-1.0.0/data.bin', randomBytes(40 * MiB))
  const wanted = sha256(crate.bytes())
  const folder = await temporaryFolder(t)
  const cold = await startCold(t, { past: 'koa', crate, storage: fsStorage(folder) })
  const { side, uplink } = cold
  const release = uplink.hold(/^\/crates/)
  const reading = download(side.url + FILE, { keep: false })
  await settled(() => uplink.hits(/^\/crates/), 1)
  const { asked } = side.counts()
  const before = await heldBytes()
  const sockets = Array.from({ length: READERS }, () => stalled(side.url + FILE))
  const joining = download(side.url + FILE, { keep: false })
  await settled(() => side.counts().asked, asked + READERS + 1)
  release()
  for (const { sha256: sum } of await Promise.all([reading, joining])) assert.equal(sum, wanted)
  const grown = (await heldBytes()) - before
  assert.ok(grown < 20 * MiB, `${Math.round(grown / MiB)} MiB for ${READERS} readers`)
  for (const socket of sockets) socket.destroy()
  await settled(() => side.counts().fast > READERS, true)
  assert.deepEqual(cold.errors, [])
})

test('those who join over one connection of HTTP/2 get all, or streams that are reset', async (t) => {
  const uplink = await startUplink(t, { crates: [CRATES.large] })
  const plugin = cargo({ auth: createAuth({}), storage: memoryStorage() }, proxyOptions(uplink))
  let fast = 0
  const koa = new Koa().use(async (ctx, next) => {
    await next()
    if (ctx.respond === false) fast += 1
  })
  koa.silent = true
  const session = await connectOverHttp2(t, koa.use(plugin), plugin)
  const get = async (path: string) => sha256(await buffer(session.request({ ':path': `/cargo${path}` })))
  await get('/re/mo/remote')
  uplink.fault(/^\/crates/, { mode: 'reset-at', byte: 200_000 }, 1)
  for (const fails of [true, false]) {
    const release = uplink.hold(/^\/crates/)
    const hits = uplink.hits(/^\/crates/)
    const first = get(FILE)
    first.catch(() => {})
    await settled(() => uplink.hits(/^\/crates/), hits + 1)
    const crowd = Array.from({ length: 20 }, () => get(FILE))
    const ends = Promise.allSettled([first, ...crowd])
    await sleep(50)
    release()
    for (const end of await ends) {
      if (fails) assert.equal(end.status === 'rejected' && end.reason.code, 'ERR_HTTP2_STREAM_ERROR')
      else assert.equal(end.status === 'fulfilled' && end.value, sha256(CRATES.large.bytes()))
    }
  }
  assert.ok(fast >= 40, `${fast} joined`)
})

/** What is held of buffers when all that may be given back is: a busy machine takes its time with that. */
async function heldBytes(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  let held = Number.POSITIVE_INFINITY
  for (let round = 0; round < 5; round++) {
    collect()
    // Some are given back by finalizers, and by a sweeper in the background.
    await sleep(50)
    held = Math.min(held, process.memoryUsage().arrayBuffers)
  }
  return held
}

/** A client that asks, and reads nothing of the answer. */
function stalled(url: string): Socket {
  const { hostname, port, pathname } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.pause()
  socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`)
  return socket
}
