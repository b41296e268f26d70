import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import type { Logger } from '../../src/host.ts'
import { fsStorage } from '../../src/hosts/fs.ts'
import type { OptionsInput } from '../../src/options.ts'
import { blobKey } from '../../src/registry/keys.ts'
import { warmLockFile } from '../../src/server/warm.ts'
import { startApp } from '../support/app.ts'
import { temporaryFolder } from '../support/cargo.ts'
import { crateFile } from '../support/crate-file.ts'
import { type LockSpec, lockFile } from '../support/lock-file.ts'
import { startUplink, type UplinkSpec } from '../support/uplink.ts'

const MAIN = join(import.meta.dirname, '../../src/server/main.ts')
const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

interface WarmSpec extends UplinkSpec {
  readonly options?: OptionsInput
}

/** An uplink, a folder for a registry with its settings, and the command. */
async function warmth(t: TestContext, { options, ...spec }: WarmSpec) {
  const uplink = await startUplink(t, spec)
  const folder = await temporaryFolder(t)
  const cargo = { uplinks: { up: { url: uplink.index } }, ...options }
  const config = { public_url: 'https://crates.example', storage: { fs: { path: './data' } }, cargo }
  const file = join(folder, 'config.yaml')
  await writeFile(file, JSON.stringify(config))
  const lock = join(folder, 'Cargo.lock')

  async function warm(packages: readonly LockSpec[], signal = new AbortController().signal) {
    await writeFile(lock, lockFile(packages))
    const out = new PassThrough()
    const sources = { file, environment: {}, workingDirectory: folder }
    const report = await warmLockFile(sources, lock, { out, err: new PassThrough(), logger: silent, signal })
    out.end()
    return { report, printed: await text(out) }
  }
  const storage = fsStorage(join(folder, 'data'))
  return {
    uplink,
    folder,
    file,
    lock,
    cargo,
    storage,
    warm,
    app: () => startApp(t, { host: { storage }, options: cargo }),
  }
}

/** The lock file's lines of all that an uplink has. */
function lockOf(uplink: { versions(): Iterable<LockSpec> }): LockSpec[] {
  return [...uplink.versions()].map(({ name, version, cksum = '' }) => ({ name, version, cksum }))
}

test('warmLockFile() brings what a running server then serves without the uplink', async (t) => {
  const crates = [crateFile('a'), crateFile('b'), crateFile('c'), crateFile('c', '2.0.0')]
  const options = { aliases: ['https://old.example/cargo'] }
  const { uplink, warm, app } = await warmth(t, { crates, options })
  const server = await app()
  const sources = [
    undefined,
    'sparse+https://crates.example/cargo/',
    'registry+sparse+https://crates.example/cargo/index/',
    'sparse+https://old.example/cargo/',
  ]
  const packages = lockOf(uplink).map((one, at) => ({ ...one, ...(sources[at] && { source: sources[at] }) }))
  const others = [
    { name: 'own', version: '0.1.0', source: null },
    { name: 'x', version: '1.0.0', source: 'git+https://git.example/x#0123' },
  ]
  const first = await warm([...packages, ...others])
  assert.equal(
    first.printed,
    'not ours: 1 of `git+https://git.example/x#0123`\n4 fetched (0.0 MiB), 0 already there, 0 missing, 1 not ours\n',
  )
  const bytes = [...uplink.versions()].reduce((sum, one) => sum + (one.bytes?.length ?? 0), 0)
  assert.equal(first.report.bytes, bytes)
  assert.equal(uplink.hits(/download$/), 4)

  const { report } = await warm(packages)
  assert.deepEqual(report, { fetched: 0, bytes: 0, present: 4, missing: [], left: 0 })
  assert.equal(uplink.hits(/download$/), 4)

  await uplink.stop()
  for (const { name, version, bytes, line } of uplink.versions()) {
    const index = await server.request(`/${uplink.indexPath(name).replace('/index/', '')}`)
    assert.ok(index.text.includes(`${line}\n`), index.text)
    const response = await fetch(`${server.url}/api/v1/crates/${name}/${version}/download`)
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), bytes)
  }
})

test('warmLockFile() says of each package why it is missing, and brings the others', async (t) => {
  const names = ['fine', 'changed', 'evil', 'no-file', 'broken', 'acme-secret', 'local', 'other-name']
  const { uplink, warm, app, storage } = await warmth(t, {
    crates: names.map((name) => crateFile(name)),
    options: {
      packages: {
        'acme-*': { publish: '$authenticated' },
        '**': {
          publish: '$authenticated',
          proxy: 'up',
          shadow: 'allow',
          deny: ['evil@1: it steals coins'],
        },
      },
    },
  })
  const server = await app()
  const local = crateFile('local', '3.0.0')
  assert.equal((await server.publish(local)).status, 200)
  assert.equal((await server.publish(crateFile('lost'))).status, 200)
  const lost = JSON.parse((await server.request('/lo/st/lost')).text).cksum
  await storage.delete(blobKey(lost))
  const before = uplink.requests.length
  uplink.set(uplink.cratePath('no-file', '1.0.0'), { status: 404 })
  uplink.set(uplink.cratePath('broken', '1.0.0'), { body: 'not what the index says' })
  const wrong = 'f'.repeat(64)
  const is = [...uplink.versions()].find(({ name }) => name === 'changed')?.cksum

  const { printed } = await warm([
    { name: 'fine', version: '1.0.0' },
    { name: 'fine', version: '1.0.1' },
    { name: 'unknown', version: '1.0.0' },
    { name: 'other_name', version: '1.0.0' },
    { name: 'Other-Name', version: '1.0.0' },
    { name: 'changed', version: '1.0.0', cksum: wrong },
    { name: 'evil', version: '1.0.0' },
    { name: 'no-file', version: '1.0.0' },
    { name: 'broken', version: '1.0.0' },
    { name: 'acme-secret', version: '1.0.0' },
    { name: 'local', version: '3.0.0' },
    { name: 'local', version: '1.0.0' },
    { name: 'lost', version: '1.0.0', cksum: lost },
    { name: '../../x', version: '1.0.0' },
  ])
  assert.deepEqual(printed.trimEnd().split('\n'), [
    'missing fine@1.0.1: there is no version `1.0.1` at uplink `up`',
    'missing unknown@1.0.0: there is no crate `unknown` at uplink `up`',
    'missing other_name@1.0.0: there is no crate `other_name` at uplink `up`',
    'missing Other-Name@1.0.0: there is no version `1.0.0` at uplink `up`, where it is called `other-name`',
    `missing changed@1.0.0: it has checksum \`${wrong}\` in the lock file, and \`${is}\` in the index`,
    'missing evil@1.0.0: denied: it steals coins',
    'missing no-file@1.0.0: uplink `up` does not have the file of `no-file@1.0.0`',
    `missing broken@1.0.0: the uplink's crate file does not have the checksum \`${[...uplink.versions()].find(({ name }) => name === 'broken')?.cksum}\` of the index`,
    'missing acme-secret@1.0.0: crate `acme-secret` was not published here, and rule `acme-*` asks no uplink for it',
    'missing local@1.0.0: crate `local` does not have a version `1.0.0`',
    'missing lost@1.0.0: it was published here, and its file is missing in storage',
    'missing ../../x@1.0.0: invalid crate name `../../x`: must start with an ASCII letter',
    '1 fetched (0.0 MiB), 1 already there, 12 missing, 0 not ours',
  ])
  const asked = uplink.requests.slice(before).map(({ path }) => path)
  assert.deepEqual(
    asked.filter((path) => /local|lost|acme|crates\/(evil|changed)/.test(path)),
    [],
  )
})

test('warmLockFile() tries again while the uplink limits it or fails', async (t) => {
  const crates = Array.from({ length: 30 }, (_, at) => crateFile(`crate-${at}`))
  const { uplink, warm } = await warmth(t, { crates })
  uplink.fault(/download$/, { mode: '429', retryAfter: 1 }, 3)
  const { report } = await warm(lockOf(uplink))
  assert.equal(report.fetched, 30)
  assert.deepEqual(report.missing, [])
})

test('warmLockFile() says that the uplink is away, and finds what is kept all the same', async (t) => {
  const { uplink, warm } = await warmth(t, { crates: [crateFile('kept'), crateFile('cold')] })
  const kept = { name: 'kept', version: '1.0.0' }
  assert.equal((await warm([kept])).report.fetched, 1)
  await uplink.stop()
  const { printed } = await warm([kept, { name: 'cold', version: '1.0.0' }])
  assert.match(
    printed,
    /^missing cold@1\.0\.0: uplink `up` [^\n]*refuses connections\n0 fetched [^\n]*, 1 already there/,
  )
})

test('the warm command ends with 1 and one line for what is no lock file, or without uplinks', async (t) => {
  const { folder, file, lock } = await warmth(t, {})
  const run = async (...args: string[]) => {
    const child = spawn(process.execPath, [MAIN, 'warm', ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit'),
    ])
    return { stdout, stderr, code }
  }
  await writeFile(lock, 'hello\n')
  assert.deepEqual(await run('Cargo.lock', '--config', file), {
    stdout: '',
    stderr: 'verdaccio-cargo: file `Cargo.lock`: invalid lock file: line 1: must be as cargo writes it\n',
    code: 1,
  })
  const absent = await run('Absent.lock', '--config', file)
  assert.match(absent.stderr, /^verdaccio-cargo: file `Absent\.lock`: ENOENT[^\n]*\n$/)
  await writeFile(lock, lockFile([{ name: 'a', version: '1.0.0' }]))
  await writeFile(file, JSON.stringify({ cargo: { uplinks: {} } }))
  const { stderr, code } = await run('Cargo.lock', '--config', file)
  assert.match(stderr, /^verdaccio-cargo: no uplinks are configured: [^\n]*\n$/)
  assert.equal(code, 1)
})

test('the warm command finishes what runs when it is interrupted, and goes on where it was', async (t) => {
  const crates = Array.from({ length: 40 }, (_, at) => crateFile(`crate-${at}`))
  const { uplink, folder, file, lock } = await warmth(t, { crates })
  await writeFile(lock, lockFile(lockOf(uplink)))
  const start = () => {
    const args = [MAIN, 'warm', lock, '--config', file]
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
    return { child, ended: Promise.all([text(child.stdout), once(child, 'exit')]) }
  }
  const release = uplink.hold(/download$/)
  const first = start()
  while (uplink.hits(/download$/) < 10) await new Promise((resolve) => setTimeout(resolve, 20))
  first.child.kill('SIGINT')
  setTimeout(release, 200)
  const [report, exit] = await first.ended
  assert.deepEqual(exit, [1, null])
  const [, left = '', fetched = ''] = /^stopped: (\d+) were not looked at\n(\d+) fetched /.exec(report) ?? []
  assert.equal(Number(left) + Number(fetched), 40)
  assert.ok(Number(left) > 0, report)
  const files = (await readdir(join(folder, 'data'), { recursive: true })).map(String)
  assert.deepEqual(
    files.filter((name) => name.includes('~')),
    [],
  )
  assert.equal(files.filter((name) => /[0-9a-f]{64}$/.test(name)).length, Number(fetched))

  const [again, [code]] = await start().ended
  assert.equal(code, 0)
  assert.equal(again, `${left} fetched (0.0 MiB), ${fetched} already there, 0 missing, 0 not ours\n`)
})
