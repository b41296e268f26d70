import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { ObjectStore } from '../../../src/host.ts'
import { fsStorage } from '../../../src/hosts/fs.ts'
import { memoryStorage } from '../../../src/hosts/memory.ts'
import { collectGarbage, type GcDeps } from '../../../src/registry/care/gc.ts'
import { blobKey, changeKey } from '../../../src/registry/keys.ts'
import { type App, startApp } from '../../support/app.ts'
import { temporaryFolder } from '../../support/cargo.ts'
import { type CrateFile, crateFile } from '../../support/crate-file.ts'
import { until } from '../../support/until.ts'
import { startUplink } from '../../support/uplink.ts'
import { keysOf } from '../../support/watched-store.ts'

const DAY_MS = 24 * 60 * 60_000
const NEVER = { of: async () => ({ total: 0, recent: 0, versions: new Map(), days: [] }) }
const blobOf = (crate: CrateFile) => blobKey(sha256(crate.bytes()))
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** Collects as of two days from now. */
function collect(storage: ObjectStore, more: Partial<GcDeps> = {}) {
  const now = () => new Date(Date.now() + 2 * DAY_MS)
  return collectGarbage({
    storage,
    downloads: NEVER,
    retention: {},
    grace: DAY_MS,
    dryRun: false,
    now,
    ...more,
  })
}

async function download(app: App, crate: CrateFile, as = 'ann'): Promise<string> {
  const path = `/api/v1/crates/${crate.name}/${crate.version}/download`
  const response = await fetch(app.url + path, { headers: { authorization: as } })
  return response.status === 200 ? sha256(Buffer.from(await response.arrayBuffer())) : String(response.status)
}

test('collectGarbage() removes blobs that nobody references, and nothing else', async (t) => {
  const storage = memoryStorage()
  const uplink = await startUplink(t, { crates: [crateFile('open', '1.0.0')] })
  const app = await startApp(t, {
    host: { storage },
    options: {
      packages: {
        '**': { access: '$all', publish: '$authenticated', unpublish: '$authenticated', proxy: 'up' },
      },
      uplinks: { up: { url: uplink.url } },
    },
  })
  const [kept, removed, whole] = [crateFile('kept'), crateFile('kept', '1.1.0'), crateFile('whole')]
  for (const crate of [kept, removed, whole]) assert.equal((await app.publish(crate)).status, 200)
  await app.request('/api/v1/crates/kept/1.1.0', { method: 'DELETE', as: 'ann' })
  await app.request('/api/v1/crates/whole', { method: 'DELETE', as: 'ann' })
  assert.equal((await download(app, crateFile('open'))).length, 64)
  await until(async () => (await keysOf(storage, 'blobs/')).length, 4)
  await storage.put(blobKey('ab'.repeat(32)), Buffer.from('an upload that failed'))
  const before = await keysOf(storage)

  assert.equal((await collect(storage, { now: () => new Date() })).orphans.count, 0)
  const wouldRemove = await collect(storage, { dryRun: true })
  assert.deepEqual(await keysOf(storage), before)
  const report = await collect(storage)
  assert.deepEqual(report, wouldRemove)
  assert.deepEqual([report.orphans.count, report.expired.count, report.kept.count], [3, 0, 2])
  const gone = [blobOf(removed), blobOf(whole), blobKey('ab'.repeat(32))]
  assert.deepEqual(
    await keysOf(storage),
    before.filter((key) => !gone.includes(key)),
  )
  assert.equal(await download(app, kept), sha256(kept.bytes()))
})

test('collectGarbage() removes nothing while something cannot be read', async (t) => {
  const storage = memoryStorage()
  const app = await startApp(t, { host: { storage } })
  await app.publish(crateFile('fine'))
  await storage.put(blobKey('ab'.repeat(32)), Buffer.from('an upload that failed'))
  await storage.put(changeKey('bad', 1), Buffer.from('no change'))
  await assert.rejects(
    collect(storage),
    /`crates\/3\/b\/bad\/00000001\.json` cannot be read: run `verify` first/,
  )
  assert.equal((await keysOf(storage, 'blobs/')).length, 2)
})

test('collectGarbage() brings back what a publish takes for present while it goes', async (t) => {
  const inner = memoryStorage()
  const crate = crateFile('raced')
  let publish: (() => Promise<unknown>) | undefined
  const storage: ObjectStore = {
    ...inner,
    async delete(key) {
      // The whole publish fits between the last look at the blob and its end.
      if (key.startsWith('blobs/')) await publish?.()
      await inner.delete(key)
    },
  }
  const app = await startApp(t, { host: { storage: inner } })
  await inner.put(blobOf(crate), crate.bytes())
  publish = async () => assert.equal((await app.publish(crate)).status, 200)
  const report = await collect(storage)
  assert.equal(report.orphans.count, 0)
  assert.deepEqual(await keysOf(inner, 'trash/'), [])
  const fresh = await startApp(t, { host: { storage: inner } })
  assert.equal(await download(fresh, crate), sha256(crate.bytes()))
})

test('collectGarbage() finishes what a killed one had begun', async (t) => {
  const inner = memoryStorage()
  const app = await startApp(t, { host: { storage: inner } })
  const [needed, orphan] = [crateFile('needed'), crateFile('orphan')]
  await inner.put(blobOf(needed), needed.bytes())
  await inner.put(blobOf(orphan), orphan.bytes())
  let deleted = 0
  const storage: ObjectStore = {
    ...inner,
    async delete(key) {
      if (key.startsWith('blobs/') && ++deleted === 2) await app.publish(needed)
      await inner.delete(key)
      if (deleted === 2) throw new Error('killed')
    },
  }
  await assert.rejects(collect(storage), /storage is not available/)
  assert.equal((await keysOf(inner, 'trash/')).length, 2)
  // Another one that runs at the same time leaves them alone.
  await collect(inner, { now: () => new Date() })
  assert.equal((await keysOf(inner, 'trash/')).length, 2)
  await collect(inner)
  assert.deepEqual(await keysOf(inner, 'trash/'), [])
  assert.deepEqual(await keysOf(inner, 'blobs/'), [blobOf(needed)])
})

test('collectGarbage() in a tight loop without grace loses nothing of what is published beside it', async (t) => {
  const storage = fsStorage(await temporaryFolder(t))
  const app = await startApp(t, { host: { storage } })
  const crates = Array.from({ length: 60 }, (_, n) => crateFile(`crate-${n % 6}`, `1.${n}.0`))
  let [isDone, loops] = [false, 0]
  const collector = (async () => {
    while (!isDone) {
      await collect(storage, { grace: 0, now: () => new Date() })
      loops += 1
    }
  })()
  const publishers = Array.from({ length: 4 }, async (_, publisher) => {
    for (let n = publisher; n < crates.length; n += 4) {
      const crate = crates[n] ?? assert.fail()
      // As a publish that failed leaves it: the collector wants it.
      await storage.put(blobOf(crate), crate.bytes())
      assert.equal((await app.publish(crate)).status, 200, crate.version)
    }
  })
  await Promise.all(publishers)
  isDone = true
  await collector
  assert.ok(loops >= 2, `${loops} loops`)
  const fresh = await startApp(t, { host: { storage } })
  for (const crate of crates) assert.equal(await download(fresh, crate), sha256(crate.bytes()), crate.version)
  assert.deepEqual(await keysOf(storage, 'trash/'), [])
})

test('collectGarbage() keeps the files of uplinks that were used last, and fetches others again', async (t) => {
  const names = ['one', 'two', 'three', 'four']
  const storage = memoryStorage()
  const uplink = await startUplink(t, { crates: names.map((name) => crateFile(name)) })
  const options = { uplinks: { up: { url: uplink.url } } }
  const app = await startApp(t, { host: { storage }, options })
  for (const name of names) assert.equal((await download(app, crateFile(name))).length, 64)
  await until(async () => (await keysOf(storage, 'blobs/')).length, 4)
  const inDays = (days: number) => new Date(Date.now() + days * DAY_MS)
  const used = { one: 5, three: 8 } as Readonly<Record<string, number>>
  const downloads: GcDeps['downloads'] = {
    async of(name) {
      const day = inDays(used[name] ?? 0)
        .toISOString()
        .slice(0, 10)
      return { ...(await NEVER.of()), days: [{ day, versions: new Map([['1.0.0', 1]]) }] }
    },
  }
  const size = crateFile('one').bytes().length
  const spec = { downloads, now: () => inDays(9) }
  const left = async () => {
    const present = await keysOf(storage, 'blobs/')
    return names.filter((name) => present.includes(blobOf(crateFile(name))))
  }
  assert.equal((await collect(storage, { ...spec, retention: { max_age: 30 * DAY_MS } })).expired.count, 0)
  assert.equal((await collect(storage, { ...spec, retention: { max_size: 2.5 * size } })).expired.count, 2)
  assert.deepEqual(await left(), ['one', 'three'])
  assert.equal((await collect(storage, { ...spec, retention: { max_age: 3 * DAY_MS } })).expired.count, 1)
  assert.deepEqual(await left(), ['three'])
  // The one that fetched it may have it in memory, for a second.
  const another = await startApp(t, { host: { storage }, options })
  assert.equal(await download(another, crateFile('two')), sha256(crateFile('two').bytes()))
  assert.equal(uplink.hits(uplink.cratePath('two', '1.0.0')), 2)
})
