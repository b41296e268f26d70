import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import type { CargoEvent, Logger } from '../../src/host.ts'
import { fsStorage } from '../../src/hosts/fs.ts'
import type { SearchHit } from '../../src/protocol/api.ts'
import { indexPath } from '../../src/protocol/name.ts'
import { importFolder } from '../../src/server/import.ts'
import { startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'

async function folders(t: TestContext) {
  const root = await mkdtemp(join(tmpdir(), 'import-'))
  t.after(() => rm(root, { recursive: true }))
  const write = async (path: string, content: string | Uint8Array) => {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), content)
  }
  const audit: CargoEvent[] = []
  const info = (fields: { readonly audit?: CargoEvent }) => void (fields.audit && audit.push(fields.audit))
  const logger: Logger = { debug: () => {}, info, warn: () => {}, error: () => {} }
  const run = async (index?: string, owner = 'mia') => {
    const out = new PassThrough()
    const sources = { data: join(root, 'data'), environment: {}, workingDirectory: root }
    const request = { folder: join(root, 'crates'), owner, index: index && join(root, index) }
    const report = await importFolder(sources, request, { out, logger })
    out.end()
    return { report, printed: await text(out), audit: audit.splice(0) }
  }
  return { root, write, run }
}

test('importFolder() takes sound crates, keeps yanked and pubtime, and tells what it refuses', async (t) => {
  const { root, write, run } = await folders(t)
  const [one, two, other] = [
    crateFile('some-crate', '1.0.0'),
    crateFile('some-crate', '1.0.1'),
    crateFile('b'),
  ]
  await write('crates/some-crate-1.0.1.crate', await two.build())
  await write('crates/deep/some-crate-1.0.0.crate', await one.build())
  await write('crates/b-1.0.0.crate', await other.build())
  await write('crates/b-2.0.0.crate', 'no gzip')
  await write('crates/nameless.crate', '')
  const line = (vers: string, cksum: string, more: object) =>
    `${JSON.stringify({ name: 'some-crate', vers, deps: [], cksum, features: {}, yanked: false, ...more })}\n`
  const sha = async (crate: typeof one) => hash('sha256', await crate.build())
  await write(
    `index/${indexPath('some-crate')}`,
    line('1.0.0', await sha(one), { yanked: true, pubtime: '2020-01-02T03:04:05Z' }) +
      line('1.0.1', 'f'.repeat(64), {}),
  )

  const { report, printed } = await run('index')
  assert.equal(report.imported, 1)
  assert.match(printed, /refused b-1\.0\.0\.crate: no line in the index\n/)
  assert.match(printed, /refused b-2\.0\.0\.crate: /)
  assert.match(printed, /refused nameless\.crate: not named `<name>-<version>\.crate`/)
  assert.match(
    printed,
    /refused some-crate-1\.0\.1\.crate: `some-crate@1\.0\.1` has checksum `[0-9a-f]{64}`, its index line says `f{64}`/,
  )
  assert.match(printed, /1 imported, 0 already there, 4 refused\n$/)

  const app = await startApp(t, { host: { storage: fsStorage(join(root, 'data')) } })
  const entry = JSON.parse((await app.request(`/${indexPath('some-crate')}`)).text)
  assert.equal(entry.vers, '1.0.0')
  assert.equal(entry.yanked, true)
  assert.equal(entry.pubtime, '2020-01-02T03:04:05Z')
  const owners = (await app.request('/api/v1/crates/some-crate/owners')).body as {
    users: { login: string }[]
  }
  assert.deepEqual(
    owners.users.map(({ login }) => login),
    ['mia'],
  )
  const { crates } = (await app.request('/api/v1/crates?q=some-crate')).body as { crates: SearchHit[] }
  assert.deepEqual(
    crates.map(({ name, max_version, description }) => [name, max_version, description]),
    [['some-crate', '1.0.0', 'The crate some-crate']],
  )
  await app.close()
})

test('importFolder() run again finds everything there', async (t) => {
  const { write, run } = await folders(t)
  await write('crates/a-1.0.0.crate', await crateFile('a').build())
  assert.deepEqual((await run()).report, { imported: 1, present: 0, refused: [] })
  assert.deepEqual((await run()).report, { imported: 0, present: 1, refused: [] })
})

test('importFolder() writes an audit line for each crate that it takes', async (t) => {
  const { write, run } = await folders(t)
  const bytes = await crateFile('a').build()
  await write('crates/a-1.0.0.crate', bytes)
  await write('crates/b-1.0.0.crate', 'no gzip')
  const [event, ...more] = (await run()).audit
  assert.match(event?.at ?? '', /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  assert.deepEqual(
    { ...event, at: '' },
    {
      ...{ at: '', kind: 'publish', crate: 'a', version: '1.0.0', by: 'mia' },
      detail: { cksum: hash('sha256', bytes), size: bytes.length, imported: true },
    },
  )
  assert.deepEqual(more, [])
  assert.deepEqual((await run()).audit, [])
})

test('importFolder() tells in one line which folder it cannot read', async (t) => {
  const { root, write, run } = await folders(t)
  const mistake = (message: string) => ({ name: 'Mistake', message })
  await assert.rejects(run(), mistake(`folder \`${join(root, 'crates')}\`: not found`))
  await write('crates/a-1.0.0.crate', await crateFile('a').build())
  await assert.rejects(run('nowhere'), mistake(`folder \`${join(root, 'nowhere')}\`: not found`))
  await write('file', '')
  await assert.rejects(run('file'), mistake(`folder \`${join(root, 'file')}\`: not a folder`))
  await write('data', '')
  await assert.rejects(run(), { name: 'Mistake', message: /^folder `.*data`: (EEXIST|ENOTDIR): / })
})

test('importFolder() takes no owner that nobody could be', async (t) => {
  const { root, write, run } = await folders(t)
  await write('crates/a-1.0.0.crate', await crateFile('a').build())
  for (const owner of ['', 'a\nb', 'a'.repeat(129)]) {
    await assert.rejects(run(undefined, owner), { name: 'Mistake', message: /^invalid owner `/ })
  }
  await assert.rejects(stat(join(root, 'data')), { code: 'ENOENT' })
})

test("importFolder() reads the lines of cargo's own index cache", async (t) => {
  const { root, write, run } = await folders(t)
  const bytes = await crateFile('cached', '0.1.0').build()
  const cksum = hash('sha256', bytes)
  const line = JSON.stringify({ name: 'cached', vers: '0.1.0', deps: [], cksum, features: {}, yanked: true })
  await write('crates/cached-0.1.0.crate', bytes)
  await write(`.cache/${indexPath('cached')}`, `\x03\x02\0\0\0etag: "x"\0${'0.1.0'}\0${line}\0`)
  assert.equal((await run('.cache')).report.imported, 1)
  const app = await startApp(t, { host: { storage: fsStorage(join(root, 'data')) } })
  assert.equal(JSON.parse((await app.request(`/${indexPath('cached')}`)).text).yanked, true)
  await app.close()
})
