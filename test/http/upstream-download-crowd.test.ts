import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ObjectStore } from '../../src/host.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { crowdFigures, watchCrowd } from '../bar/crowd.ts'
import { startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'
import { download } from '../support/download.ts'
import { startUplink } from '../support/uplink.ts'
import { downloadPath, largeCrate, proxyOptions, settled, storedBlobs } from './proxied.ts'

const CLIENTS = 500
const FOO = downloadPath('foo', '1.0.0')
const LARGE = largeCrate('foo', '1.0.0', 700 * 1024)

test('500 clients of a cold crate are one request to the uplink, whoever leaves and whatever fails', async (t) => {
  for (const { name, value, target, met } of await crowdFigures(t, { clients: CLIENTS, timed: false }))
    assert.ok(met, `${name}: ${value}, must be ${target}`)
})

test('a crowd looks once whether a cold crate is in the store', async (t) => {
  const uplink = await startUplink(t, { crates: [LARGE] })
  const inner = memoryStorage()
  let looks = 0
  const stat: ObjectStore['stat'] = async (key) => {
    if (key.startsWith('blobs/')) looks += 1
    return inner.stat(key)
  }
  const app = await startApp(t, { options: proxyOptions(uplink), host: { storage: { ...inner, stat } } })
  const release = uplink.hold(uplink.cratePath('foo', '1.0.0'))
  let asked = 0
  app.server.on('request', () => {
    asked += 1
  })
  const crowd = Array.from({ length: 20 }, () => download(app.url + FOO))
  await settled(() => asked, 20)
  await settled(() => uplink.hits(uplink.cratePath('foo', '1.0.0')), 1)
  release()
  for (const { body } of await Promise.all(crowd)) assert.ok(body.equals(LARGE.bytes()))
  assert.equal(looks, 1)
})

test('when the first fetch fails before a byte was sent, a second one serves all', async (t) => {
  for (const crate of [crateFile('foo'), LARGE]) {
    const fault = { mode: 'reset-at', byte: 0 } as const
    const { fetches, right } = await watchCrowd(t, { clients: 50, crate, fault, times: 1 })
    assert.deepEqual([fetches, right], [2, 50])
  }
})

test('a fetch that fails in the middle is no poison: who asks again gets the crate', async (t) => {
  const fault = { mode: 'reset-at', byte: 500_000 } as const
  const { fetches, failed, rightAgain } = await watchCrowd(t, { clients: 50, crate: LARGE, fault, times: 1 })
  assert.deepEqual([fetches, failed, rightAgain], [1, 50, 50])
})

test('a fetch goes on to be stored when every client has left', async (t) => {
  for (const leaveAfter of [0, 1000]) {
    const uplink = await startUplink(t, { crates: [LARGE] })
    const app = await startApp(t, { options: proxyOptions(uplink) })
    const path = uplink.cratePath('foo', '1.0.0')
    const release = uplink.hold(path)
    const leaving = download(app.url + FOO, { leaveAfter })
    await settled(() => uplink.hits(path), 1)
    release()
    await leaving
    await settled(async () => (await storedBlobs(app.storage)).sound.length, 1)
    await uplink.stop()
    assert.ok((await download(app.url + FOO)).body.equals(LARGE.bytes()))
  }
})
