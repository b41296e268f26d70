import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertRun, bench, overEachTransport } from '../support/bench.ts'
import { manifest } from '../support/cargo.ts'
import { crateFile } from '../support/crate-file.ts'

const APP = manifest('app', '0.1.0', '[dependencies]\nhidden = { version = "1", registry = "ours" }\n')
const WITH_PROVIDER = { config: { registry: { 'global-credential-providers': ['cargo:token'] } } }
const LOGIN = ['login', '--registry', 'ours']

overEachTransport('a registry that needs a login', (transport) => {
  const options = { auth_required: true }

  test('tells where to get a token, and takes it', async (t) => {
    const { server, project, freshHome } = await bench(t, { transport, options })
    await server.seed(crateFile('hidden'))
    const home = await freshHome(WITH_PROVIDER)
    const cwd = await project({ manifest: APP })
    const none = await home.cargo(['fetch'], { cwd })
    assertRun(none, 101, 'no token found for `ours`, please run `cargo login --registry ours`')
    assert.deepEqual(server.takeRequests(), [{ method: 'GET', path: '/config.json', status: 401 }])
    const prompt = `please paste the token found on ${server.url}/me below`
    const login = await home.cargo(LOGIN, { input: 'ann-token\n', terminal: true })
    assertRun(login, 0, prompt, 'Login token for `ours` saved')
    const page = await server.send('/me')
    assert.equal(page.status, 200)
    assert.match(page.text, /cargo login/)
    server.takeRequests()
    assertRun(await home.cargo(['check'], { cwd }), 0, 'Checking hidden v1.0.0')
    const requests = server.takeRequests()
    assert.deepEqual(requests.slice(0, 2), [
      { method: 'GET', path: '/config.json', status: 401 },
      { method: 'GET', path: '/config.json', status: 200, user: 'ann' },
    ])
    assert.ok(requests.slice(1).every(({ user, status }) => user === 'ann' && status === 200))
    assert.ok(requests.some(({ path }) => path === '/api/v1/crates/hidden/1.0.0/download'))
    // A warm cache sends the token at once.
    assertRun(await home.cargo(['update'], { cwd }), 0)
    assert.ok(server.takeRequests().every(({ user }) => user === 'ann'))
    assertRun(await home.cargo(LOGIN, { input: 'cargo login bob-token\n' }), 0, 'saved')
    assertRun(await home.cargo(['update'], { cwd }), 0)
    assert.ok(server.takeRequests().some(({ user }) => user === 'bob'))
    server.takeRequests()
    assertRun(await home.cargo(['logout', '--registry', 'ours']), 0, 'token for `ours` has been removed')
    assert.doesNotMatch(await readFile(join(home.folder, 'credentials.toml'), 'utf8'), /-token/)
    assert.deepEqual(server.takeRequests(), [])
  })

  test('tells where to get another token', async (t) => {
    const { server, freshHome } = await bench(t, { transport, options })
    const home = await freshHome({ ...WITH_PROVIDER, tokens: { ours: 'ann-token' } })
    const login = await home.cargo(LOGIN, { input: 'bob-token\n', terminal: true })
    assertRun(login, 0, `please paste the token found on ${server.url}/me below`)
    assert.match(await readFile(join(home.folder, 'credentials.toml'), 'utf8'), /bob-token/)
  })

  test('rejects a wrong token and says so', async (t) => {
    const { server, project, freshHome } = await bench(t, { transport, options })
    const home = await freshHome({ ...WITH_PROVIDER, tokens: { ours: 'wrong-token' } })
    const run = await home.cargo(['fetch'], { cwd: await project({ manifest: APP }) })
    assertRun(
      run,
      101,
      'token rejected for `ours`',
      'invalid token or password',
      'cargo login --registry ours',
    )
    assert.ok(!server.log.some((line) => line.includes('wrong-token')))
  })

  test('takes a token from the environment, in every form', async (t) => {
    const { server, project, freshHome } = await bench(t, { transport, options })
    await server.seed(crateFile('hidden'))
    const cwd = await project({ manifest: APP })
    const basic = Buffer.from('ann:ann-token').toString('base64')
    for (const token of ['ann-token', 'Bearer ann-token', 'Token ann-token', `Basic ${basic}`]) {
      const home = await freshHome()
      const env = {
        CARGO_REGISTRIES_OURS_TOKEN: token,
        CARGO_REGISTRIES_OURS_CREDENTIAL_PROVIDER: 'cargo:token',
      }
      assertRun(await home.cargo(['fetch'], { cwd, env }), 0, 'Downloaded hidden v1.0.0')
      assert.ok(!server.log.some((line) => line.includes('ann-token') || line.includes(basic)))
    }
  })

  test('takes tokens of credential helpers', async (t) => {
    const { server, project, freshHome } = await bench(t, { transport, options })
    await server.seed(crateFile('hidden'))
    const cwd = await project({ manifest: APP })
    const fromStdout = {
      registry: { 'global-credential-providers': ['cargo:token-from-stdout echo ann-token'] },
    }
    const home = await freshHome({ config: fromStdout })
    assertRun(await home.cargo(['fetch'], { cwd }), 0, 'Downloaded hidden v1.0.0')
  })

  test('hands its challenge to credential plugins', async (t) => {
    const { server, project, freshHome } = await bench(t, { transport, options })
    await server.seed(crateFile('hidden'))
    const cwd = await project({ manifest: APP })
    const { script, requests } = await credentialPlugin(cwd)
    const home = await freshHome({ config: { registry: { 'global-credential-providers': [script] } } })
    assertRun(await home.cargo(['fetch'], { cwd }), 0, 'Downloaded hidden v1.0.0')
    const [first] = await requests()
    assert.equal(first?.operation, 'read')
    const challenge = first?.registry.headers.find((header) => /^www-authenticate:/i.test(header))
    assert.ok(challenge?.includes(`Cargo login_url="${server.url}/me"`), challenge)
    assertRun(await home.cargo(LOGIN), 0)
    const login = (await requests()).find(({ kind }) => kind === 'login')
    assert.equal(login?.['login-url'], `${server.url}/me`)
  })

  test('lets a token that can only publish read what a publish reads', async (t) => {
    const { server, project, freshHome } = await bench(t, { transport, options })
    const cwd = await project({ manifest: manifest('mine') })
    const { script, requests: asked } = await credentialPlugin(cwd)
    const home = await freshHome({ config: { registry: { 'global-credential-providers': [script] } } })
    const publish = ['publish', '--registry', 'ours', '--no-verify', '--allow-dirty']
    assertRun(await home.cargo(publish, { cwd }), 0, 'Published mine v1.0.0')
    assert.deepEqual(
      (await asked()).map(({ operation }) => operation),
      ['read', 'publish'],
    )
    const requests = server.takeRequests()
    const put = requests.findIndex(({ method }) => method === 'PUT')
    assert.deepEqual(requests[put], {
      method: 'PUT',
      path: '/api/v1/crates/new',
      status: 200,
      user: 'ci',
    })
    const polls = requests.slice(put + 1)
    assert.ok(polls.length > 0 && polls.every(({ status, user }) => status === 200 && user === 'ci'))
  })

  test('is told by cargo to be configured', async (t) => {
    const { server, home, project, freshHome } = await bench(t, { transport, options })
    await server.seed(crateFile('hidden'))
    const cwd = await project({ manifest: APP })
    assertRun(
      await home.cargo(['fetch'], { cwd }),
      101,
      'authenticated registries require a credential-provider',
    )
    const unnamed = await freshHome({ ...WITH_PROVIDER, registries: {} })
    const install = await unnamed.cargo(['install', 'hidden', '--index', server.index])
    assertRun(
      install,
      101,
      `no token found for \`${server.index}\``,
      "consider setting up an alternate registry in Cargo's configuration",
      `my-registry = { index = "${server.index}" }`,
    )
    const twice = await freshHome({
      ...WITH_PROVIDER,
      registries: { ours: server.index, twin: server.index },
    })
    assertRun(
      await twice.cargo(['fetch'], { cwd }),
      101,
      'multiple registries are configured with the same index url',
    )
    const token = await home.cargo(['fetch', '--config', 'registries.ours.token="ann-token"'], { cwd })
    assertRun(token, 101, 'cannot be set through --config for security reasons')
  })

  test('never sees a token that cannot be one', async (t) => {
    const { server, freshHome } = await bench(t, { transport, options })
    const home = await freshHome(WITH_PROVIDER)
    assertRun(await home.cargo(LOGIN, { input: '\n' }), 101, 'please provide a non-empty token')
    assertRun(await home.cargo(LOGIN, { input: 't\u00f6ken\n' }), 101, 'token contains invalid characters')
    assert.ok(server.takeRequests().every(({ user }) => user === undefined))
  })
})

/** A request of cargo to a credential plugin, as far as it matters here. */
interface PluginRequest {
  readonly kind: string
  readonly operation?: string
  readonly 'login-url'?: string
  readonly registry: { readonly headers: readonly string[] }
}

/** A credential plugin that publishes as ci, does all else as ann, and keeps what it is asked. */
async function credentialPlugin(folder: string) {
  const seen = join(folder, 'requests.jsonl')
  const script = join(folder, 'provider.sh')
  const answer = (token: string) =>
    `echo '{"Ok":{"kind":"get","token":"${token}","cache":"session","operation_independent":false}}' ;;`
  const lines = [
    '#!/bin/sh',
    `echo '{"v":[1]}'`,
    'while read -r line; do',
    `  printf '%s\\n' "$line" >>${seen}`,
    '  case "$line" in',
    `    *'"kind":"login"'*) echo '{"Ok":{"kind":"login"}}' ;;`,
    `    *'"operation":"publish"'*) ${answer('ci-token')}`,
    `    *) ${answer('ann-token')}`,
    '  esac',
    'done',
  ]
  await writeFile(script, `${lines.join('\n')}\n`, { mode: 0o755 })
  const requests = async (): Promise<PluginRequest[]> =>
    (await readFile(seen, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  return { script, requests }
}
