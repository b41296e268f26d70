import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { fsStorage } from '../../src/hosts/fs.ts'
import { encodeChange } from '../../src/protocol/change.ts'
import { createDownloadCounts } from '../../src/registry/download-counts.ts'
import {
  additionKey,
  blobKey,
  changeKey,
  checkpointKey,
  copyKey,
  foldedKey,
  historyKey,
  trailKey,
} from '../../src/registry/keys.ts'
import { reliableStorage } from '../../src/registry/reliable-storage.ts'
import { verify } from '../../src/server/verify.ts'
import { DAY, fakeClock } from '../registry/upstream/clocked-registry.ts'
import { startApp } from '../support/app.ts'
import { temporaryFolder } from '../support/cargo.ts'
import { indexEntry, publishing } from '../support/changes.ts'
import { crateFile } from '../support/crate-file.ts'
import { between, pick, randomFrom } from '../support/random.ts'
import { startUplink } from '../support/uplink.ts'
import { keysOf } from '../support/watched-store.ts'

const MAIN = join(import.meta.dirname, '../../src/server/main.ts')
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** A registry's folder and the command, in this process. */
async function verification(t: TestContext) {
  const data = join(await temporaryFolder(t), 'data')
  await mkdir(data)
  const storage = fsStorage(data)
  const path = (key: string) => join(data, key)

  async function run(repair = false, signal = new AbortController().signal) {
    const out = new PassThrough()
    const sources = { data, environment: {}, workingDirectory: data }
    const isWell = await verify(sources, { out, err: new PassThrough(), repair, signal })
    out.end()
    const lines = (await text(out)).trimEnd().split('\n')
    return { isWell, found: lines.filter((line) => /^(damaged|repaired) /.test(line)), lines }
  }

  /** Writes a file without waiting for the disk. */
  async function write(key: string, bytes: Uint8Array | string): Promise<void> {
    await mkdir(dirname(path(key)), { recursive: true })
    await writeFile(path(key), bytes)
  }
  return { data, storage, path, run, write }
}

/** A registry with one of everything that can be damaged, and the app that made it. */
async function used(t: TestContext) {
  const bench = await verification(t)
  const uplink = await startUplink(t, { crates: [crateFile('far'), crateFile('far', '1.1.0')] })
  const options = { uplinks: { up: { url: uplink.index, maxage: '0s' } } }
  const start = () => startApp(t, { host: { storage: bench.storage }, options })
  const app = await start()
  await app.publish(crateFile('near'))
  await app.publish(crateFile('near', '1.1.0'))
  for (let turn = 0; turn < 32; turn++) {
    const [method, what] = turn % 2 === 0 ? ['DELETE', 'yank'] : ['PUT', 'unyank']
    await app.request(`/api/v1/crates/near/1.0.0/${what}`, { method, as: 'ann' })
  }
  await app.publish(crateFile('other'))
  await app.request('/3/f/far')
  for (const version of ['1.0.0', '1.1.0']) await app.request(`/api/v1/crates/far/${version}/download`)
  await app.close()
  return { ...bench, uplink, start }
}

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

async function files(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name).slice(folder.length + 1))
}

test('verify() finds nothing wrong with what a server stored, and says what it looked at', async (t) => {
  const { run } = await used(t)
  const { isWell, lines } = await run()
  assert.deepEqual(lines, [
    '5 blobs, 2 crates with 35 changes and 1 checkpoints, 1 index copies, 36 parts of the catalogues, 1 of the download counts, 0 of the download audit',
    'blobs that nobody references: 0 older than a day, 0 younger; gc removes the old ones',
    '0 findings, 0 of them repaired',
  ])
  assert.equal(isWell, true)
})

test('verify() finds each of 30 bits that flipped, in whatever kind of object', async (t) => {
  const { data, path, run, write } = await used(t)
  // A catalogue written anew has a snapshot.
  await write(additionKey(1), '')
  assert.equal((await run(true)).isWell, true)
  const keys = await files(data)
  const kinds = [
    'blobs/',
    'crates/',
    'checkpoints/',
    'upstream/',
    'catalogue/snap',
    'catalogue/add',
    'upstream-catalogue/',
  ]
  const random = randomFrom(4)
  for (let turn = 0; turn < 30; turn++) {
    const key = pick(
      random,
      keys.filter((one) => one.startsWith(kinds[turn % kinds.length] ?? '')),
    )
    const whole = await readFile(path(key))
    const flipped = Buffer.from(whole)
    const bit = between(random, 0, 8 * whole.length)
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    await writeFile(path(key), flipped)
    const { isWell, found } = await run()
    assert.equal(isWell, false, `${key} bit ${bit}`)
    assert.ok(
      found.some((line) => line.startsWith(`damaged ${key}`)),
      `${key} bit ${bit}: ${found.join('; ')}`,
    )
    await writeFile(path(key), whole)
  }
  assert.deepEqual((await run()).found, [])
})

test('verify() says of what is missing, foreign or ahead whom it concerns and what to do', async (t) => {
  const { storage, path, run, write } = await used(t)
  const lost = crateFile('other').bytes()
  const change = await readFile(path(changeKey('near', 2)))
  const copy = await readFile(path(copyKey('up', 'far', 1)))
  await storage.delete(blobKey(sha256(lost)))
  await storage.delete(changeKey('near', 3))
  await rm(path(changeKey('near', 5)))
  await mkdir(path(changeKey('near', 5)))
  await write(changeKey('foreign', 1), encodeChange(publishing('near', '1.0.0')))
  await write(checkpointKey('gone'), await readFile(path(checkpointKey('near'))))
  await write(copyKey('up', 'far', 2), copy)
  await write(copyKey('up', 'near', 1), copy)
  await write('crates/ne/ar/near/2.json', change)
  await write('blobs/sha256/x', '')
  const { isWell, found } = await run()
  assert.equal(isWell, false)
  assert.deepEqual(
    found.sort(),
    [
      'damaged blobs/sha256/x: is no object of the registry: move it elsewhere',
      `damaged ${blobKey(sha256(lost))} of other@1.0.0: is missing, although the version is published: restore it from a backup: until then its downloads answer 503`,
      'damaged checkpoints/go/ne/gone.json of gone: its crate has no first change: to clients, it does not exist: restore `crates/go/ne/gone/00000001.json` and what follows from a backup',
      'damaged crates/fo/re/foreign/00000001.json of foreign: it is of the crate `near`: restore it from a backup',
      'damaged crates/ne/ar/near/00000003.json of near: is missing, although later changes are there: restore it from a backup',
      'damaged crates/ne/ar/near/00000005.json of near: cannot be read: the storage has something else than a file where one should be: look at the disk and the rights of the file; then restore it from a backup',
      'damaged crates/ne/ar/near/2.json: is no object of the registry: move it elsewhere',
      'damaged upstream/up/3/f/far/00000002.json of far: has the number 1: restore it from a backup, or remove it: the one before it is used, or the uplink asked anew',
      'damaged upstream/up/ne/ar/near/00000001.json of near: index file of `near`: invalid index line 1: `name` must be the name of the crate: restore it from a backup, or remove it: the one before it is used, or the uplink asked anew',
    ].sort(),
  )
})

test('verify() knows the counts of downloads, and tells which are damaged, missing or of no registry', async (t) => {
  const { storage, path, run, write } = await verification(t)
  const clock = fakeClock('2026-06-01T00:00:00Z')
  const deps = { storage: reliableStorage(storage), logger: silent, ...clock }
  for (let day = 0; day < 9; day++) {
    const counts = createDownloadCounts(deps)
    counts.count('foo', '1.0.0')
    await counts.close()
    clock.advance(DAY)
  }
  while (await createDownloadCounts(deps).fold());
  const before = await run()
  assert.deepEqual(before.found, [])
  const [days, folded, parts] = [
    await keysOf(storage, 'downloads/2'),
    foldedKey('2026-06-07', 1),
    historyKey('2026-06-06', 0),
  ]
  assert.match(before.lines[0] ?? '', /, 7 of the download counts, 0 of the download audit$/)
  await write(folded, '{}')
  await write(days[0] ?? '', '{}')
  await rm(path(parts))
  await write('downloads/notes.txt', 'hello')
  const trail = trailKey('2026-06-01', '00000000-0000-4000-8000-000000000000', 1)
  await write(trail, '{}')
  await write('audit/downloads/2026-06-01/notes.txt', 'hello')
  const { isWell, found } = await run()
  const [why, remedy] = [
    'is damaged: its bytes do not have their checksum',
    'restore it from a backup: what it tells is left out until then',
  ]
  assert.equal(isWell, false)
  assert.deepEqual(found.toSorted(), [
    `damaged ${trail}: ${why}: ${remedy}`,
    'damaged audit/downloads/2026-06-01/notes.txt: is no object of the registry: move it elsewhere',
    `damaged ${days[0]}: ${why}: ${remedy}`,
    `damaged ${folded}: ${why}: ${remedy}`,
    `damaged ${parts}: is missing: ${remedy}`,
    'damaged downloads/notes.txt: is no object of the registry: move it elsewhere',
  ])
})

test('verify() does not take a checkpoint for the log that it is ahead of', async (t) => {
  const { storage, run, path } = await used(t)
  for (const n of [31, 32, 33, 34]) await storage.delete(changeKey('near', n))
  const before = await readFile(path(checkpointKey('near')))
  const { isWell, found } = await run(true)
  assert.equal(isWell, false)
  assert.match(
    found.join('\n'),
    /^damaged checkpoints\/ne\/ar\/near\.json of near: knows changes up to 32, and the log ends at 30: restore `crates\/ne\/ar\/near\/00000031\.json`/m,
  )
  assert.deepEqual(await readFile(path(checkpointKey('near'))), before)
})

test('verify() with `repair` mends what is derived, and moves damaged blobs where nobody serves them', async (t) => {
  const { data, storage, path, run, write, start, uplink } = await used(t)
  const [near, far] = [crateFile('near').bytes(), crateFile('far').bytes()]
  const checkpoint = await readFile(path(checkpointKey('near')))
  await write(checkpointKey('near'), checkpoint.subarray(1))
  await storage.delete(additionKey(1))
  await write(additionKey(1, 'upstream-catalogue'), '[')
  for (const bytes of [near, far]) await write(blobKey(sha256(bytes)), 'rotten')
  await write(blobKey(sha256(Buffer.from('x'))), 'y')

  const { isWell, found } = await run(true)
  assert.equal(isWell, false)
  const [nearKey, farKey, xKey] = [near, far, Buffer.from('x')].map((bytes) => blobKey(sha256(bytes)))
  const wrong = 'its bytes do not have the checksum that they are stored under'
  const anew = 'written anew from the crates'
  assert.deepEqual(
    found.filter((line) => !line.includes(' catalogue/')).sort(),
    [
      `damaged ${nearKey} of near@1.0.0: ${wrong}: moved to \`quarantine/${nearKey}\`; restore it from a backup: until then its downloads answer 503`,
      `repaired ${farKey} of far@1.0.0: ${wrong}: moved to \`quarantine/${farKey}\`: the next download fetches it again`,
      `repaired ${xKey}: ${wrong}: moved to \`quarantine/${xKey}\`: nothing references it`,
      'repaired checkpoints/ne/ar/near.json of near: is not what the changes come to: written anew from the changes',
      `repaired upstream-catalogue/additions/000000000001.json: stored catalogue is not JSON: ${anew}`,
    ].sort(),
  )
  assert.deepEqual(await readFile(path(`quarantine/${nearKey}`), 'utf8'), 'rotten')
  assert.deepEqual((await run()).found, [
    `damaged ${nearKey} of near@1.0.0: is missing, although the version is published: restore it from a backup: until then its downloads answer 503`,
  ])

  assert.equal((await run()).lines.at(-1), '1 finding, 0 of them repaired')

  const app = await start()
  const download = async (crate: string) => {
    const response = await fetch(`${app.url}/api/v1/crates/${crate}/1.0.0/download`)
    return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) }
  }
  const before = uplink.hits(/download$/)
  assert.equal((await download('near')).status, 503)
  assert.deepEqual(await download('far'), { status: 200, bytes: far })
  assert.equal(uplink.hits(/download$/), before + 1)
  const { body } = await app.request('/api/v1/crates?q=near')
  assert.deepEqual(
    Object(body).crates.map(({ name }: { name: string }) => name),
    ['near'],
  )
  await write(nearKey ?? '', near)
  assert.deepEqual((await download('near')).bytes, near)
  await app.close()
  assert.equal((await run()).isWell, true)
  assert.ok((await files(data)).some((key) => key.startsWith('quarantine/')))
})

test('verify() counts the blobs that nobody references, and leaves them alone', async (t) => {
  const { data, path, run, write } = await used(t)
  for (const content of ['old', 'young', 'younger'])
    await write(blobKey(sha256(Buffer.from(content))), content)
  const old = new Date(Date.now() - 25 * 3600 * 1000)
  await utimes(path(blobKey(sha256(Buffer.from('old')))), old, old)
  const before = await files(data)
  const { isWell, lines } = await run(true)
  assert.equal(isWell, true)
  assert.ok(
    lines.includes('blobs that nobody references: 1 older than a day, 2 younger; gc removes the old ones'),
  )
  assert.deepEqual(await files(data), before)
})

test('verify() is not well when it was stopped', async (t) => {
  const { run } = await used(t)
  const { isWell, lines } = await run(true, AbortSignal.abort())
  assert.equal(isWell, false)
  assert.ok(lines.includes('stopped: not everything was looked at'))
})

test('verify() raises no false alarm while a server takes publishes and fetches', async (t) => {
  const { uplink, run, start } = await used(t)
  const app = await start()
  let isDone = false
  let runs = 0
  const busy = (async () => {
    for (let n = 0; n < 20 || runs < 3; n++) {
      await Promise.all([
        app.publish(crateFile(`crate-${n % 20}`, `1.0.${n}`)),
        app.publish(crateFile('near', `2.0.${n}`)),
      ])
      uplink.publish(crateFile('far', `2.0.${n}`))
      await app.request('/3/f/far')
    }
    isDone = true
  })()
  while (!isDone) {
    const { isWell, lines } = await run(runs % 2 === 1)
    assert.equal(isWell, true, lines.join('\n'))
    runs += 1
  }
  await busy
  assert.ok(runs >= 3)
  await app.close()
  assert.deepEqual((await run()).found, [])
})

test('the verify command looks at thousands of crates in little memory, and ends with 1 for a finding', async (t) => {
  const { data, storage, write } = await verification(t)
  const writes: Promise<void>[] = []
  for (let n = 0; n < 2000; n++) {
    const bytes = Buffer.from(`file ${n}`)
    const entry = indexEntry({ name: `crate-${n}`, cksum: sha256(bytes) })
    const padded = { size: 1, keywords: [], categories: [], authors: ['x'.repeat(75_000)] }
    const change = publishing(`crate-${n}`, '1.0.0', { entry, details: padded })
    writes.push(write(blobKey(sha256(bytes)), bytes), write(changeKey(`crate-${n}`, 1), encodeChange(change)))
    if (writes.length > 64) await Promise.all(writes.splice(0))
  }
  await Promise.all(writes)
  const command = async (...args: string[]) => {
    const all = ['--max-old-space-size=128', MAIN, 'verify', '--data', data, ...args]
    const child = spawn(process.execPath, all, { cwd: dirname(data), stdio: ['ignore', 'pipe', 'pipe'] })
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit'),
    ])
    return { lines: stdout.trimEnd().split('\n'), stderr, code }
  }
  await storage.delete(blobKey(sha256(Buffer.from('file 7'))))
  const { lines, stderr, code } = await command()
  assert.match(stderr, /^(\d+ objects, \d+\.\d MiB\n)*$/)
  assert.equal(code, 1)
  assert.equal(
    lines.at(-3),
    '1999 blobs, 2000 crates with 2000 changes and 0 checkpoints, 0 index copies, 0 parts of the catalogues, 0 of the download counts, 0 of the download audit',
  )
  assert.equal(lines.filter((line) => line.includes('misses the crate')).length, 2000)
  assert.equal(lines.filter((line) => line.startsWith('damaged blobs/')).length, 1)
  await rm(data, { recursive: true })
  const { stderr: mistake } = await command()
  assert.match(mistake, /^verdaccio-cargo: there is no registry at `[^`]+`: no such folder\n$/)
  await assert.rejects(readdir(data), { code: 'ENOENT' })
})

test('verify() with `repair` renews entries of the catalogue that an older version stored', async (t) => {
  const { storage, run } = await verification(t)
  const start = () => startApp(t, { host: { storage } })
  const app = await start()
  await app.publish(crateFile('old-one').package({ categories: ['games'] }))
  await app.close()
  const fields = {
    name: 'old-one',
    n: 1,
    max_version: '1.0.0',
    description: 'The crate old-one',
    keywords: [],
  }
  const entry = { ...fields, updated: '2026-01-02T03:04:05Z' }
  await storage.put(additionKey(1), Buffer.from(JSON.stringify([entry])))
  const status = async () => (await (await start()).request('/api/v1/categories/games')).status
  for (const repair of [false, true]) {
    assert.equal(await status(), 404)
    const { isWell, found } = await run(repair)
    assert.deepEqual([isWell, found], [true, []])
  }
  assert.equal(await status(), 200)
})
