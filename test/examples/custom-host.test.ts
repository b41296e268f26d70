import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { folderStore } from '../../examples/custom-host/storage.ts'
import { objectStoreContract } from '../../src/testing/index.ts'
import { assertRun } from '../support/bench.ts'
import { type Context, cargoHome, manifest, project, temporaryFolder } from '../support/cargo.ts'

const MAIN = join(import.meta.dirname, '../../examples/custom-host/main.ts')
const [TOKEN, READ_ONLY, GUEST] = ['token-of-ann', 'read-only-token-of-ann', 'token-of-guest']
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

objectStoreContract('the custom host', async (context) =>
  folderStore(await temporaryFolder({ after: (done) => context.after(done) })),
)

test('a folder that is taken away is a failure, never absence', async (t) => {
  const root = join(await temporaryFolder(t), 'root')
  const store = await folderStore(root)
  await store.put('a/b', Buffer.from('x'))
  await rename(root, `${root}-away`)
  const calls = [() => store.get('a/b'), () => store.stat('a/b'), () => store.delete('a/b')]
  for (const call of [...calls, async () => store.open?.('a/b')]) await assert.rejects(call)
  await assert.rejects(async () => {
    for await (const _ of store.list('a/')) assert.fail()
  })
})

/** Starts the example; its URL and its folder. */
async function startHost(context: Context) {
  // Removed when the host has ended, which stores its counts at the end.
  let remove = async () => {}
  const folder = await temporaryFolder({
    after(done) {
      remove = done
    },
  })
  const [users, data] = [join(folder, 'users.json'), join(folder, 'data')]
  const ann = { laptop: { sha256: sha256(TOKEN) }, reader: { sha256: sha256(READ_ONLY), readOnly: true } }
  const guest = { only: { sha256: sha256(GUEST) } }
  await writeFile(users, JSON.stringify({ ann: { tokens: ann }, guest: { guest: true, tokens: guest } }))
  const child = spawn(process.execPath, [MAIN], {
    env: { HOST_USERS: users, HOST_DATA: data, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  context.after(async () => {
    child.kill('SIGTERM')
    assert.deepEqual(await ended, [0, null])
    await remove()
  })
  const [line] = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended])
  return { url: String(line), users, data, folder }
}

test('real cargo publishes to the custom host and builds from it', { timeout: 120_000 }, async (t) => {
  const { url, data, folder } = await startHost(t)
  const home = await cargoHome(t, { registries: { ours: `sparse+${url}` }, tokens: { ours: TOKEN } })
  const greeting = await project(join(folder, 'greeting'), {
    manifest: manifest('greeting'),
    files: { 'src/lib.rs': 'pub const HELLO: &str = "hello from the custom host";' },
  })
  assertRun(
    await home.cargo(['publish', '--registry', 'ours'], { cwd: greeting }),
    0,
    'Published greeting v1.0.0',
  )
  const app = await project(join(folder, 'app'), {
    manifest: manifest('app', '1.0.0', '[dependencies]\ngreeting = { version = "1", registry = "ours" }\n'),
    files: { 'src/main.rs': 'fn main() { println!("{}", greeting::HELLO) }' },
  })
  const run = await home.cargo(['run'], { cwd: app })
  assertRun(run, 0, 'Downloaded greeting v1.0.0')
  assert.equal(run.stdout, 'hello from the custom host\n')

  const audit = (await readFile(join(data, '~audit.jsonl'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    audit.map(({ kind, crate, version, by, tokenId }) => ({ kind, crate, version, by, tokenId })),
    [{ kind: 'publish', crate: 'greeting', version: '1.0.0', by: 'ann', tokenId: 'laptop' }],
  )
  const metrics = await (await fetch(new URL('/metrics', url))).text()
  assert.match(metrics, /^cargo_publishes_total\{\} 1$/m)
  assert.match(metrics, /^cargo_request_duration_seconds_bucket\{le="0.1",route="/m)
  assert.ok(!metrics.includes(TOKEN))
})

test('the custom host tells a bad token, a scope, a guest and a broken file of users apart', async (t) => {
  const { url, users } = await startHost(t)
  const put = async (token: string) => {
    const { status } = await fetch(new URL('api/v1/crates/new', url), {
      ...{ method: 'PUT', body: 'x', headers: { authorization: token } },
    })
    return status
  }
  // 400: the body is no crate, the token may publish.
  assert.deepEqual(
    await Promise.all([TOKEN, `Bearer ${TOKEN}`, READ_ONLY, GUEST, 'wrong'].map(put)),
    [400, 400, 403, 403, 401],
  )
  await writeFile(users, '{')
  assert.deepEqual(await Promise.all([TOKEN, 'wrong'].map(put)), [503, 503])
})
