import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import packageJson from '../../package.json' with { type: 'json' }
import { temporaryFolder } from '../support/cargo.ts'

const MAIN = join(import.meta.dirname, '../../src/server/main.ts')

function start(folder: string, args: readonly string[], settings: Readonly<Record<string, string>> = {}) {
  const env = { ...process.env, ...settings }
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env,
  })
  return { child, stderr: text(child.stderr), stdout: text(child.stdout) }
}

/** Everything the first start says; it is written at once. */
async function started(child: ChildProcess): Promise<string> {
  const [chunk] = child.stdout ? await once(child.stdout, 'data') : []
  return String(chunk)
}

test('the first start says how to use the registry, the second only where it is', async (t) => {
  const folder = await temporaryFolder(t)
  const outputs: string[] = []
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const { child } = start(folder, ['--listen', '127.0.0.1:0', '--data', 'crates'])
    outputs.push(await started(child))
    child.kill(signal)
    assert.deepEqual(await once(child, 'exit'), [0, null])
  }
  const [first = '', second = ''] = outputs
  assert.match(first, /^\[registries\.local\]\nindex = "sparse\+http:\/\/127\.0\.0\.1:\d+\/cargo\/"$/m)
  assert.match(first, /^vcargo_[\w-]{43}$/m)
  assert.match(second, /^verdaccio-cargo serves http:\/\/127\.0\.0\.1:\d+\/cargo\/\n$/)
})

test('a wrong setting ends the start with one line and status 1', async (t) => {
  const folder = await temporaryFolder(t)
  const { child, stderr } = start(folder, ['serve', '--listen', '0.0.0.0:0'])
  assert.deepEqual(await once(child, 'exit'), [1, null])
  assert.match(await stderr, /^verdaccio-cargo: invalid configuration: `public_url`: must be set[^\n]*\n$/)
})

test('a folder that cannot be used ends the start with the reason', async (t) => {
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'data'), '')
  const { child, stderr } = start(folder, ['--listen', '127.0.0.1:0', '--data', 'data', '--no-uplinks'])
  assert.deepEqual(await once(child, 'exit'), [1, null])
  assert.match(
    await stderr,
    /^verdaccio-cargo: invalid configuration: `storage\.fs\.path`: (EEXIST|ENOTDIR): [^\n]*data'\n$/,
  )
})

test('the first signal ends a start that hangs', async (t) => {
  const folder = await temporaryFolder(t)
  const pipe = join(folder, 'users')
  execFileSync('mkfifo', [pipe])
  const { child } = start(folder, ['--listen', '127.0.0.1:0', '--no-uplinks'], {
    VERDACCIO_CARGO_AUTH__HTPASSWD: pipe,
  })
  t.after(() => child.kill('SIGKILL'))
  // Opens as soon as the child reads, which then waits for a line that never comes.
  const writer = await open(pipe, 'w')
  child.kill('SIGTERM')
  const ended = await Promise.race([once(child, 'exit'), setTimeout(5_000, 'hangs')])
  assert.deepEqual(ended, [null, 'SIGTERM'])
  await writer.close()
})

test('--version says which version this is', async (t) => {
  const { child, stdout } = start(await temporaryFolder(t), ['--version'])
  assert.deepEqual(await once(child, 'exit'), [0, null])
  assert.equal(await stdout, `${packageJson.version}\n`)
})

test('a command that does not exist is named, and nothing is started', async (t) => {
  const folder = await temporaryFolder(t)
  const unknown = 'unknown command `bogus`: `verdaccio-cargo --help` lists all'
  for (const [args, message] of [
    [['bogus'], unknown],
    [['--no-uplinks', 'bogus'], unknown],
    [['serve', 'bogus'], '`serve` takes no arguments, and got `bogus`'],
  ] as const) {
    const { child, stderr } = start(folder, args)
    assert.deepEqual(await once(child, 'exit'), [1, null])
    assert.equal(await stderr, `verdaccio-cargo: ${message}\n`)
  }
  assert.deepEqual(await readdir(folder), [])
})
