import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, type TestContext, test } from 'node:test'
import { S3 } from '@aws-sdk/client-s3'
import type { ObjectStore } from '../../../src/host.ts'
import { type S3Options, s3Storage } from '../../../src/hosts/s3.ts'
import { collectGarbage, type GcDeps } from '../../../src/registry/care/gc.ts'
import { blobKey } from '../../../src/registry/keys.ts'
import { content } from '../../../src/testing/stored-objects.ts'
import { s3Server } from '../../hosts/s3-server.ts'
import { startApp } from '../../support/app.ts'
import { crateFile } from '../../support/crate-file.ts'
import { keysOf } from '../../support/watched-store.ts'
import { replica } from '../replica.ts'

const DAY_MS = 24 * 60 * 60_000
const VERSIONS = 8
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const inDays = (days: number) => () => new Date(Date.now() + days * DAY_MS)

const s3 = await s3Server()
after(() => s3.close())

async function bucket(t: TestContext): Promise<{ options: S3Options; storage: ObjectStore }> {
  const options = s3.options()
  const storage = await s3Storage(options)
  t.after(() => storage.close())
  return { options, storage }
}

function collect(storage: ObjectStore, more: Partial<GcDeps> = {}) {
  const downloads = { of: async () => ({ total: 0, recent: 0, versions: new Map(), days: [] }) }
  return collectGarbage({
    ...{ storage, downloads, retention: {}, grace: DAY_MS, dryRun: false, now: inDays(2) },
    ...more,
  })
}

test('collectGarbage() in a bucket removes blobs that nobody references, and uploads that never ended', async (t) => {
  const { options, storage } = await bucket(t)
  const everybody = { access: '$all', publish: '$authenticated', unpublish: '$authenticated' }
  const app = await startApp(t, { host: { storage }, options: { packages: { '**': everybody } } })
  // More of both than are worked on at a time; each third version is removed.
  const crates = Array.from({ length: 30 }, (_, n) => crateFile(`crate-${n % 4}`, `1.${n}.0`))
  for (const crate of crates) assert.equal((await app.publish(crate)).status, 200)
  const remove = (name: string, version: string) =>
    app.request(`/api/v1/crates/${name}/${version}`, { method: 'DELETE', as: 'ann' })
  const removed = crates.filter((_, n) => n % 3 === 0)
  for (const { name, version } of removed) assert.equal((await remove(name, version)).status, 200)
  const client = new S3({
    ...{ endpoint: s3.url, region: 'us-east-1', forcePathStyle: true, credentials: s3.credentials },
  })
  t.after(() => client.destroy())
  const begin = (prefix = '') =>
    client.createMultipartUpload({ Bucket: s3.bucket, Key: `${prefix}blobs/sha256/ab/unfinished` })
  await begin(options.prefix)
  const foreign = await begin('elsewhere/')

  const early = await collect(storage, { now: inDays(0) })
  assert.deepEqual([early.orphans.count, early.leftovers], [0, 0])
  const report = await collect(storage)
  assert.deepEqual([report.orphans.count, report.kept.count, report.leftovers], [10, 20, 1])
  const kept = crates
    .filter((crate) => !removed.includes(crate))
    .map((crate) => blobKey(sha256(crate.bytes())))
  assert.deepEqual(await keysOf(storage, 'blobs/'), kept.sort())
  assert.deepEqual(await keysOf(storage, 'trash/'), [])
  const { Uploads = [] } = await client.listMultipartUploads({ Bucket: s3.bucket })
  assert.deepEqual(
    Uploads.map(({ UploadId }) => UploadId),
    [foreign.UploadId],
  )
})

test('collectGarbage() in a tight loop on a bucket loses nothing of what two processes publish', {
  timeout: 150_000,
}, async (t) => {
  const { options, storage } = await bucket(t)
  const place = JSON.stringify(options)
  const replicas = await Promise.all([replica(t, place), replica(t, place)])
  const work = replicas.map(({ process: { pid }, publish }, which) => {
    const name = `crate-${which}`
    const versions = Array.from({ length: VERSIONS }, (_, n) => `1.${n}.0`)
    const blobs = versions.map((version, n) =>
      crateFile(name, version).add(`${name}-${version}/writer`, `${pid} ${n}`).bytes(),
    )
    return { name, versions, blobs, publish: () => publish(name, versions) }
  })
  // As publishes that failed leave them: the collector wants them.
  const blobs = work.flatMap((part) => part.blobs)
  for (const bytes of blobs) await storage.put(blobKey(sha256(bytes)), bytes)
  let [isDone, loops] = [false, 0]
  const collector = (async () => {
    while (!isDone) {
      await collect(storage, { grace: 0, now: inDays(0) })
      loops += 1
    }
  })()
  const outcomes = (await Promise.all(work.map(({ publish }) => publish()))).flat()
  isDone = true
  await collector
  assert.ok(loops >= 1, `${loops} loops`)
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    Array(2 * VERSIONS).fill(200),
  )
  for (const bytes of blobs) assert.deepEqual(await content(storage, blobKey(sha256(bytes))), bytes)
  assert.deepEqual(await keysOf(storage, 'trash/'), [])
})
