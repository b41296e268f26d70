import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readdir, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { fsStorage } from '../../src/hosts/fs.ts'
import { createToken, listTokens } from '../../src/hosts/tokens.ts'
import { encodeChange } from '../../src/protocol/change.ts'
import { blobKey, changeKey } from '../../src/registry/keys.ts'
import { startApp } from '../support/app.ts'
import { temporaryFolder } from '../support/cargo.ts'
import { indexEntry, publishing } from '../support/changes.ts'
import { crateFile } from '../support/crate-file.ts'
import { keysOf } from '../support/watched-store.ts'

const MAIN = join(import.meta.dirname, '../../src/server/main.ts')
const LONG_AGO = new Date(Date.now() - 5 * 24 * 60 * 60_000)

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function run(cwd: string, ...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { cwd }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

async function registry(t: TestContext) {
  const folder = await temporaryFolder(t)
  const data = join(folder, 'registry-data')
  await mkdir(data)
  const storage = fsStorage(data)
  return { folder, data, storage, app: await startApp(t, { host: { storage } }) }
}

test('gc removes old blobs that nobody references, and what killed writers left', async (t) => {
  const { folder, data, storage, app } = await registry(t)
  await app.publish(crateFile('kept'))
  const orphan = blobKey('ab'.repeat(32))
  await storage.put(orphan, Buffer.alloc(2 * 1024 * 1024))
  const unfinished = join(data, 'crates', '~left-by-a-killed-process')
  await writeFile(unfinished, 'half')
  for (const path of [join(data, orphan), unfinished]) await utimes(path, LONG_AGO, LONG_AGO)

  const dry = await run(folder, 'gc', '--dry-run')
  assert.equal(dry.code, 0, dry.stderr)
  assert.match(dry.stdout, /^would remove 1 blob, 2\.0 MiB, that nobody referenced\n/)
  assert.ok((await keysOf(storage)).includes(orphan))
  const done = await run(folder, 'gc')
  assert.equal(done.code, 0, done.stderr)
  assert.match(done.stdout, /^removed 1 blob, .*\nremoved 0 blobs, .*by `retention`\nremoved 1 leftovers/)
  assert.match(done.stdout, /1 blob, .*, stay\n$/)
  assert.ok(!(await keysOf(storage)).includes(orphan))
  assert.ok(!(await readdir(join(data, 'crates'))).includes('~left-by-a-killed-process'))
})

test('gc refuses a grace that is none, and one that spares no publish under way', async (t) => {
  const { folder, storage } = await registry(t)
  const young = blobKey('cd'.repeat(32))
  await storage.put(young, Buffer.from('of a publish under way'))
  for (const [grace, problem] of [
    ['soon', /'soon' is invalid\. It must be a time such as `1d`/],
    ['0', /'0' is invalid\. It must be at least `1m`: what is younger may be of a publish under way/],
    ['59s', /'59s' is invalid\. It must be at least `1m`/],
  ] as const) {
    const { code, stdout, stderr } = await run(folder, 'gc', '--grace', grace)
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, problem)
  }
  assert.equal((await run(folder, 'gc', '--grace', '1m')).code, 0)
  assert.deepEqual(await keysOf(storage), [young])
})

test('a backup of a registry in use is restored whole', async (t) => {
  const { folder, storage, app } = await registry(t)
  const publish = (from: number, to: number) =>
    Promise.all(
      Array.from({ length: to - from }, (_, n) =>
        app.publish(crateFile(`crate-${(from + n) % 5}`, `1.${from + n}.0`)),
      ),
    )
  await publish(0, 20)
  const { token } = await createToken(storage, { user: 'ann', groups: [] })
  const first = await run(folder, 'backup', 'copy')
  assert.equal(first.code, 0, first.stderr)
  const [busy, second] = await Promise.all([publish(20, 60), run(folder, 'backup', 'copy')])
  assert.ok(busy.every(({ status }) => status === 200))
  assert.equal(second.code, 0, second.stderr)
  for (const key of await keysOf(storage, 'tokens/')) await storage.delete(key)
  const third = await run(folder, 'backup', 'copy')
  assert.match(third.stdout, /^\d+ objects copied, .*; \d+ were there already\n$/)

  const refused = await run(folder, 'restore', 'copy')
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /has crates already, such as `crates\/.*`: empty it, or give `--force`/)
  const restored = await run(folder, 'restore', 'copy', '--data', 'other')
  assert.equal(restored.code, 0, restored.stdout + restored.stderr)
  const other = fsStorage(join(folder, 'other'))
  const truth = (keys: readonly string[]) => keys.filter((key) => /^(crates|blobs|tokens)\//.test(key))
  assert.deepEqual(truth(await keysOf(other)), truth(await keysOf(storage)))
  const again = await startApp(t, { host: { storage: other } })
  for (let n = 0; n < 5; n++) {
    const path = `/cr/at/crate-${n}`
    assert.equal((await again.request(path)).text, (await app.request(path)).text)
  }
  const { meta } = (await again.request('/api/v1/crates?q=crate')).body as { meta: { total: number } }
  assert.equal(meta.total, 5)
  assert.ok(!JSON.stringify(await keysOf(other)).includes(token))
})

test('restore rebuilds the catalogue of crates of long ago, and finds nothing damaged', async (t) => {
  const { folder, storage } = await registry(t)
  const content = Buffer.from('content')
  const cksum = createHash('sha256').update(content).digest('hex')
  await storage.put(blobKey(cksum), content)
  for (const name of ['one', 'two']) {
    const change = publishing(name, '1.0.0', { entry: indexEntry({ name, cksum }) })
    await storage.put(changeKey(name, 1), encodeChange(change))
  }
  assert.equal((await run(folder, 'backup', 'copy')).code, 0)
  for (const options of [['--data', 'other'], ['--force']]) {
    const { code, stdout } = await run(folder, 'restore', 'copy', ...options)
    assert.equal(code, 0, stdout)
    assert.doesNotMatch(stdout, /^(repaired|damaged)/m)
    assert.match(stdout, /\ncatalogue rebuilt with 2 crates: a backup has none\n/)
    assert.match(stdout, /\n0 findings, 0 of them repaired\n$/)
  }
})

test('restore wants a backup', async (t) => {
  const { folder } = await registry(t)
  await mkdir(join(folder, 'empty'))
  for (const [from, problem] of [
    ['nowhere', /there is no registry at `.*nowhere`: no such folder/],
    ['empty', /there is no backup at `.*empty`: nothing in it is of a registry/],
  ] as const) {
    const { code, stdout, stderr } = await run(folder, 'restore', from)
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, problem)
  }
})

test('restore --force adds what is not there, and leaves tokens and counts as they are', async (t) => {
  const { folder, storage, app } = await registry(t)
  const counts = 'downloads/2026-01-01/3b56de28-e5d0-49cd-b581-6b130bbe692e.json'
  await app.publish(crateFile('lost'))
  await storage.put(counts, Buffer.from('old'))
  assert.equal((await run(folder, 'backup', 'copy')).code, 0)
  for (const key of await app.stored('crates/')) await storage.delete(key)
  await app.publish(crateFile('new'))
  await storage.put(counts, Buffer.from('new'))
  const { record } = await createToken(storage, { user: 'ann', groups: [] })

  const { stdout } = await run(folder, 'restore', 'copy', '--force')
  assert.match(stdout, /^\d+ objects copied/)
  const crates = ['crates/3/n/new/00000001.json', 'crates/lo/st/lost/00000001.json']
  assert.deepEqual(await app.stored('crates/'), crates)
  assert.deepEqual(
    (await listTokens(storage, () => {})).map(({ id }) => id),
    [record.id],
  )
  const kept = await storage.get(counts)
  assert.equal(kept && (await text(kept.body)), 'new')
})

test('backup and restore refuse the storage itself, and what is in it', async (t) => {
  const { folder, app } = await registry(t)
  await app.publish(crateFile('kept'))
  await symlink(join(folder, 'registry-data'), join(folder, 'link'))
  const before = await app.stored()
  for (const place of ['registry-data', 'registry-data/copy', 'link/of/it']) {
    const { code, stdout, stderr } = await run(folder, 'backup', place)
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /is in the storage itself, `.*registry-data`: name one elsewhere\n$/)
  }
  assert.equal((await run(folder, 'restore', 'link', '--force')).code, 1)
  assert.deepEqual(await app.stored(), before)
})
