import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import type { Logger } from '../../src/host.ts'
import { fsStorage } from '../../src/hosts/fs.ts'
import type { OptionsInput } from '../../src/options.ts'
import { indexPath } from '../../src/protocol/name.ts'
import { encodeCopy, parseCopy } from '../../src/protocol/upstream-copy.ts'
import { copyKey } from '../../src/registry/keys.ts'
import { acceptCrate } from '../../src/server/accept.ts'
import { Mistake } from '../../src/server/mistake.ts'
import { startApp } from '../support/app.ts'
import { temporaryFolder } from '../support/cargo.ts'
import { crateFile } from '../support/crate-file.ts'
import { startUplink, type UplinkSpec } from '../support/uplink.ts'
import { versionOf } from '../support/uplink-content.ts'

const MAIN = join(import.meta.dirname, '../../src/server/main.ts')
const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
/** So that a server asks the uplink, or the store, for every answer. */
const ALWAYS = { maxage: '0s' }

interface ConflictSpec extends UplinkSpec {
  readonly options?: OptionsInput
}

/** An uplink, a running server with a folder as its storage, and the command over the same folder. */
async function served(t: TestContext, { options, ...spec }: ConflictSpec) {
  const uplink = await startUplink(t, spec)
  const folder = await temporaryFolder(t)
  const cargo = { uplinks: { up: { url: uplink.index, ...ALWAYS } }, ...options }
  const file = join(folder, 'config.yaml')
  await writeFile(file, JSON.stringify({ storage: { fs: { path: './data' } }, cargo }))
  const storage = fsStorage(join(folder, 'data'))
  const start = () => startApp(t, { host: { storage }, options: cargo })
  const app = await start()

  async function accept(crate: string, more: { readonly yes?: boolean; readonly uplink?: string } = {}) {
    const out = new PassThrough()
    const sources = { file, environment: {}, workingDirectory: folder }
    const outcome = await acceptCrate(sources, { crate, yes: false, ...more }, { out, logger: silent })
    out.end()
    const [head = '', ...lines] = (await text(out)).trimEnd().split('\n')
    return { outcome, head, lines }
  }
  const index = (name: string) => app.request(`/${indexPath(name)}`)
  const download = async (name: string, version: string) =>
    Buffer.from(await (await fetch(`${app.url}/api/v1/crates/${name}/${version}/download`)).arrayBuffer())
  const linesOf = async (name: string) => (await fetch(uplink.origin + uplink.indexPath(name))).text()
  return { uplink, app, start, accept, index, download, linesOf, storage, file, folder }
}

test('acceptCrate() shows a changed checksum, and with `yes` a running server serves the new bytes', async (t) => {
  const crate = (description: string) => crateFile('foo').package({ description })
  const old = versionOf({ crate: crate('old'), pubtime: null })
  const { uplink, app, accept, index, download, linesOf } = await served(t, {
    crates: [old, crateFile('foo', '1.1.0')],
  })
  const before = (await index('foo')).text
  assert.deepEqual(await download('foo', '1.0.0'), old.bytes)
  assert.deepEqual((await accept('foo')).lines, ['no difference'])

  const anew = versionOf({ crate: crate('new'), pubtime: null })
  uplink.remove('foo', '1.0.0', 'bytes')
  uplink.publish(anew)
  uplink.yank('foo', '1.1.0')
  assert.equal((await index('foo')).text, before)
  assert.equal(app.events.filter(({ kind }) => kind === 'integrity').length, 1)

  const shown = await accept('foo')
  assert.match(shown.head, /^copy of 20[0-9T:.-]+Z, uplink `up` now:$/)
  assert.equal(shown.outcome, 'open')
  assert.deepEqual(shown.lines, [
    `  checksum 1.0.0: was ${old.cksum}, is ${anew.cksum}`,
    '  yanked 1.1.0',
    `conflict: version \`foo@1.0.0\` had the checksum \`${old.cksum}\` and now has \`${anew.cksum}\``,
    'the copy goes on being served; accept the new file with `--yes`',
  ])
  assert.equal((await index('foo')).text, before)

  const accepted = await accept('foo', { yes: true })
  assert.equal(accepted.outcome, 'accepted')
  assert.equal(accepted.lines.at(-1), 'accepted: a running server takes it over when it next renews the file')
  assert.equal((await index('foo')).text, await linesOf('foo'))
  assert.deepEqual(await download('foo', '1.0.0'), anew.bytes)
  assert.deepEqual(await accept('foo', { yes: true }).then(({ outcome, lines }) => ({ outcome, lines })), {
    outcome: 'none',
    lines: ['no difference'],
  })

  uplink.publish(crateFile('foo', '1.2.0'))
  assert.equal((await index('foo')).text, await linesOf('foo'))
})

test('acceptCrate() takes a version with other bytes for a young one', async (t) => {
  const old = versionOf({ crate: crateFile('foo'), pubtime: null })
  const other = versionOf({ crate: crateFile('foo', '2.0.0'), pubtime: null })
  const { uplink, accept, storage } = await served(t, { crates: [old, other] })
  const [longAgo, body] = ['2020-01-01T00:00:00.000Z', Buffer.from(`${old.line}\n${other.line}\n`)]
  const kept = { n: 1, body, fetchedAt: longAgo, firstSeen: { '1.0.0': longAgo, '2.0.0': longAgo } }
  await storage.put(copyKey('up', 'foo', 1), encodeCopy(kept))
  uplink.remove('foo', '1.0.0', 'bytes')
  uplink.publish(versionOf({ crate: crateFile('foo').package({ description: 'new' }), pubtime: null }))
  const { head, outcome } = await accept('foo', { yes: true })
  assert.equal(head, `copy of ${longAgo}, uplink \`up\` now:`)
  assert.equal(outcome, 'accepted')
  const stored = await storage.get(copyKey('up', 'foo', 2))
  const { firstSeen, fetchedAt } = parseCopy(await buffer(stored?.body ?? assert.fail()))
  assert.deepEqual(firstSeen, { '1.0.0': fetchedAt, '2.0.0': longAgo })
})

test('acceptCrate() ends the alarm of versions that vanished and of older files', async (t) => {
  const { uplink, app, accept, index, linesOf } = await served(t, {
    crates: [crateFile('bar'), crateFile('bar', '2.0.0'), crateFile('bar', '3.0.0')],
  })
  await index('bar')
  uplink.remove('bar', '2.0.0')
  assert.equal((await index('bar')).text.split('\n').length, 4)
  const { outcome, lines } = await accept('bar', { yes: true })
  assert.equal(outcome, 'accepted')
  assert.deepEqual(lines.slice(0, 2), [
    '  vanished 2.0.0',
    'conflict: version `bar@2.0.0` is gone from its index file',
  ])
  assert.equal((await index('bar')).text, await linesOf('bar'))

  const body = await linesOf('bar')
  const older = {
    headers: { 'last-modified': 'Mon, 01 Jan 2018 00:00:00 GMT' },
    body: `${body}\n`,
  }
  uplink.set(uplink.indexPath('bar'), older)
  assert.equal((await index('bar')).text, body)
  assert.match(
    (await accept('bar')).lines.at(-2) ?? '',
    /^conflict: index file of `bar` is of `Mon, 01 Jan 2018/,
  )
  assert.equal((await accept('bar', { yes: true })).outcome, 'accepted')
  assert.equal((await index('bar')).text, older.body)
  const alarms = app.events.filter(({ kind }) => kind === 'integrity').length
  await index('bar')
  assert.equal(app.events.filter(({ kind }) => kind === 'integrity').length, alarms)
})

test('acceptCrate() lets a crate go that is gone, and come back as another one', async (t) => {
  const { uplink, app, start, accept, index, linesOf } = await served(t, { crates: [crateFile('baz')] })
  const before = (await index('baz')).text
  uplink.remove('baz', '1.0.0')
  assert.equal((await index('baz')).text, before)
  const { outcome, lines } = await accept('baz', { yes: true })
  assert.equal(outcome, 'accepted')
  assert.deepEqual(lines.slice(0, 2), ['  vanished 1.0.0', 'conflict: crate `baz` is gone'])
  assert.equal((await index('baz')).status, 404)
  assert.equal((await index('baz')).status, 404)
  const restarted = await start()
  assert.equal((await restarted.request('/3/b/baz')).status, 404)
  assert.equal((await accept('baz')).outcome, 'none')
  const found = (await restarted.request('/api/v1/crates?q=baz')).body as { meta: { total: number } }
  assert.equal(found.meta.total, 0)
  assert.equal(app.events.filter(({ kind }) => kind === 'integrity').length, 1)

  uplink.publish(crateFile('baz').package({ description: 'Somebody else' }))
  assert.equal((await index('baz')).text, await linesOf('baz'))
})

test('acceptCrate() refuses what is not valid by itself, whatever was decided', async (t) => {
  const { uplink, accept, index } = await served(t, { crates: [crateFile('foo')] })
  const before = (await index('foo')).text
  uplink.set(uplink.indexPath('foo'), { body: '<html>' })
  await assert.rejects(accept('foo', { yes: true }), (error) => {
    assert.ok(error instanceof Mistake)
    assert.match(error.message, /^index file of `foo`: /)
    return true
  })
  assert.equal((await index('foo')).text, before)
  await uplink.stop()
  await assert.rejects(accept('foo', { yes: true }), /uplink `up` refuses connections/)
})

test('acceptCrate() says whose crate it is when no uplink has a say', async (t) => {
  const { app, accept } = await served(t, {
    options: {
      packages: { 'acme-*': { publish: '$authenticated' }, '**': { publish: '$authenticated', proxy: 'up' } },
    },
  })
  assert.equal((await app.publish(crateFile('local'))).status, 200)
  await assert.rejects(
    accept('local'),
    /^Mistake: crate `local` was published here: no uplink is asked for it$/,
  )
  await assert.rejects(accept('acme-x'), /^Mistake: rule `acme-\*` asks no uplink for `acme-x`$/)
  await assert.rejects(accept('x', { uplink: 'y' }), /^Mistake: rule `\*\*` asks not uplink `y` for `x`$/)
  assert.equal(
    (await accept('never-asked')).head,
    'nothing is kept of `never-asked`, so there is no conflict',
  )
})

test('the accept command ends with 1 until somebody decides', async (t) => {
  const { uplink, index, file, folder } = await served(t, {
    crates: [crateFile('foo'), crateFile('foo', '2.0.0')],
  })
  await index('foo')
  const run = async (...args: string[]) => {
    const child = spawn(process.execPath, [MAIN, 'accept', 'foo', '--config', file, ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
    return { stdout, code }
  }
  uplink.remove('foo', '1.0.0')
  const shown = await run()
  assert.equal(shown.code, 1)
  assert.match(shown.stdout, /\n {2}vanished 1\.0\.0\nconflict: /)
  assert.equal((await run('--yes')).code, 0)
  assert.equal((await run()).code, 0)
})

test('acceptCrate() makes no registry where there is none', async (t) => {
  const folder = await temporaryFolder(t)
  const sources = { data: 'typo', environment: {}, workingDirectory: folder }
  const accepting = acceptCrate(
    sources,
    { crate: 'foo', yes: true },
    { out: new PassThrough(), logger: silent },
  )
  const message = `there is no registry at \`${join(folder, 'typo')}\`: no such folder`
  await assert.rejects(accepting, { name: 'Mistake', message })
  assert.deepEqual(await readdir(folder), [])
})
