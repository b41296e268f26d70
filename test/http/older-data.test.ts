import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { ObjectStore } from '../../src/host.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { CHANGES_PREFIX, checkpointKey, uplinkPrefix } from '../../src/registry/keys.ts'
import { readBytes } from '../../src/registry/reliable-storage.ts'
import { verifyStorage } from '../../src/registry/verify/verify.ts'
import { startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'
import { until } from '../support/until.ts'
import { downloadPath } from './proxied.ts'
import { indexOf, startProxy, uplinkOptions } from './upstream-app.ts'

/** So many that there is a checkpoint, too. */
const VERSIONS = 35
const LAST = `1.0.${VERSIONS - 1}`

/** Changes, checkpoints and index copies as the builds before the seals wrote them; catalogues are gone. */
async function writeAsSchema1(storage: ObjectStore): Promise<void> {
  const rewrite = async (key: string, older: (bytes: Buffer) => object) => {
    const found = await storage.get(key)
    assert.ok(found)
    const rest = older(await readBytes(found))
    await storage.put(key, Buffer.from(`${JSON.stringify({ schema: 1, ...rest })}\n`))
  }
  for (const prefix of [CHANGES_PREFIX, checkpointKey('old')])
    for (const key of await keysOf(storage, prefix)) await rewrite(key, (bytes) => unsealed(bytes, 2))
  for (const key of await keysOf(storage, uplinkPrefix('up')))
    await rewrite(key, (bytes) => {
      const behind = bytes.indexOf('\n') + 1
      const { sha256: _, ...rest } = unsealed(bytes.subarray(0, behind), 3)
      return { ...rest, body: bytes.subarray(behind).toString() }
    })
  for (const prefix of ['catalogue/', 'upstream-catalogue/'])
    for (const key of await keysOf(storage, prefix)) await storage.delete(key)
}

function unsealed(line: Buffer, schema: number): Readonly<Record<string, unknown>> {
  const { schema: found, seal, ...rest } = JSON.parse(line.toString())
  assert.deepEqual([found, typeof seal], [schema, 'string'])
  return rest
}

async function keysOf(storage: ObjectStore, prefix: string): Promise<readonly string[]> {
  const keys: string[] = []
  for await (const { key } of storage.list(prefix)) keys.push(key)
  return keys
}

/** A store that an older build has written, and the index files as it served them. */
async function olderStore(t: TestContext) {
  const storage = memoryStorage()
  const { app, uplink } = await startProxy(t, { uplink: { crates: [crateFile('far')] }, host: { storage } })
  for (let n = 0; n < VERSIONS; n++)
    assert.equal((await app.publish(crateFile('old', `1.0.${n}`))).status, 200)
  const yank = { method: 'DELETE', as: 'ann' }
  assert.equal((await app.request('/api/v1/crates/old/1.0.0/yank', yank)).status, 200)
  const [old, far] = [await indexOf(app, 'old'), await indexOf(app, 'far')]
  assert.equal((await app.request(downloadPath('far', '1.0.0'))).status, 200)
  assert.match(old.text, /"vers":"1\.0\.0".*"yanked":true/)
  await app.close()
  await writeAsSchema1(storage)
  await uplink.stop()
  return {
    storage,
    old: old.text,
    far: far.text,
    options: { prefetch: 0, uplinks: { up: uplinkOptions(uplink) } },
  }
}

test('data of an older build is served as it was, with the uplink away', async (t) => {
  const { storage, old, far, options } = await olderStore(t)
  const app = await startApp(t, { host: { storage }, options })
  assert.equal((await indexOf(app, 'old')).text, old)
  assert.equal((await indexOf(app, 'far')).text, far)
  for (const [name, version] of [
    ['old', LAST],
    ['far', '1.0.0'],
  ] as const)
    assert.equal((await app.request(downloadPath(name, version))).status, 200)
  const { text } = await app.request('/api/v1/crates/old/owners', { as: 'ann' })
  assert.deepEqual(
    JSON.parse(text).users.map(({ login }: { login: string }) => login),
    ['ann'],
  )
  await until(async () => (await app.request('/api/v1/crates?q=old')).text.includes(`"${LAST}"`), true)
})

test('replicas go on where an older build ended, and verify knows what it cannot know', async (t) => {
  const { storage, old, options } = await olderStore(t)
  const one = await startApp(t, { host: { storage }, options })
  const other = await startApp(t, { host: { storage }, options })
  assert.equal((await one.publish(crateFile('old', LAST))).status, 409)
  assert.equal((await one.publish(crateFile('old', '2.0.0'))).status, 200)
  const { text } = await indexOf(other, 'old')
  assert.ok(text.startsWith(old))
  assert.match(text.slice(old.length), /^\{[^\n]*"vers":"2\.0\.0"[^\n]*\n$/)
  const findings: unknown[] = []
  const { counts } = await verifyStorage({
    ...{ storage, repair: false, now: () => new Date(), step: () => {} },
    signal: new AbortController().signal,
    report: (finding) => findings.push(finding),
  })
  assert.deepEqual(findings, [])
  // Each change but the new one, the checkpoint, and the copy.
  assert.equal(counts.unsealed, VERSIONS + 3)
})
