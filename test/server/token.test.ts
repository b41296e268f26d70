import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { fsStorage } from '../../src/hosts/fs.ts'
import { tokenLookup } from '../../src/hosts/tokens.ts'
import { createServer, parseConfig } from '../../src/server/index.ts'
import { createUserToken, revokeUserTokens, type TokenRequest } from '../../src/server/token.ts'
import { temporaryFolder } from '../support/cargo.ts'

const MAIN = join(import.meta.dirname, '../../src/server/main.ts')

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function command(t: TestContext) {
  const folder = await temporaryFolder(t)
  await mkdir(join(folder, 'registry-data'))
  const run = (...args: readonly string[]): Promise<Ended> =>
    new Promise((resolve) => {
      execFile(process.execPath, [MAIN, 'token', ...args], { cwd: folder }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      )
    })
  return { folder, run, lookup: () => tokenLookup(fsStorage(join(folder, 'registry-data'))) }
}

test('token create prints a token that works as it was asked for, list and revoke know it', async (t) => {
  const { run, lookup } = await command(t)
  const made = await run(
    ...['create', '--user', 'ci', '--name', 'build "1"', '--groups', 'rust-team,ops'],
    ...['--crates', 'acme-*', 'other', '--actions', 'publish,yank', '--expires', '30d'],
  )
  assert.equal(made.code, 0)
  const token = made.stdout.trimEnd()
  assert.match(token, /^vcargo_[\w-]{43}$/)
  assert.match(
    made.stderr,
    /^token ([0-9a-f]{16}) {2}user ci {2}groups rust-team,ops {2}name "build \\"1\\"" /,
  )
  assert.ok(!made.stderr.includes(token.slice(7)))
  const found = await lookup().find(token)
  assert.deepEqual([found?.principal.name, found?.principal.groups], ['ci', ['rust-team', 'ops']])
  const may = found?.principal.may ?? assert.fail()
  assert.deepEqual(
    [may('publish', 'acme-x'), may('publish', 'x'), may('owners', 'other'), may('read', 'x')],
    [true, false, false, true],
  )
  const days = ((found?.expires ?? 0) - Date.now()) / 86_400_000
  assert.ok(days > 29.9 && days <= 30)

  const [other, list] = await Promise.all([run('create', '--user', 'ann'), run('list', '--user', 'ci')])
  const id = /^[0-9a-f]{16}/.exec(list.stdout)?.[0] ?? ''
  assert.match(list.stdout, /crates acme-\*,other {2}actions publish,yank\n$/)
  const [json, missing] = await Promise.all([run('list', '--json'), run('revoke', id, '0123456789abcdef')])
  const records = JSON.parse(json.stdout) as { user: string }[]
  assert.ok(records.every((record) => !JSON.stringify(record).includes(token.slice(7))))
  // One is gone, and the other was none.
  assert.deepEqual([missing.code, missing.stdout], [1, `${id} revoked\n`])
  assert.equal(missing.stderr, 'verdaccio-cargo: there is no token `0123456789abcdef`\n')
  assert.equal(await lookup().find(token), undefined)
  assert.ok(await lookup().find(other.stdout.trimEnd()))
  const all = await run('revoke', '--user', 'ann')
  assert.equal(all.code, 0)
  assert.match(all.stdout, /^[0-9a-f]{16} revoked\n$/)
  assert.equal(await lookup().find(other.stdout.trimEnd()), undefined)
})

const WANTED = { user: 'x', groups: [], crates: [], actions: [] }
const MISTAKES: readonly (readonly [Partial<TokenRequest>, RegExp])[] = [
  [{ expires: 'soon' }, /^`--expires`: invalid expiry `soon`/],
  [{ actions: ['fly'] }, /^`--actions`: `fly` is none of `read`, /],
  [{ crates: ['a', ''] }, /^`--crates`: invalid glob ``/],
  [{ user: '' }, /^`--user` must be a name$/],
  [{ user: 'a\nb' }, /^names must have no control characters$/],
  [{ name: '\u001b[2J' }, /^names must have no control characters$/],
]

test('a mistake is told in one line, and nothing is stored', async (t) => {
  const { run, folder } = await command(t)
  const sources = { environment: {}, workingDirectory: folder }
  const output = { out: new PassThrough(), err: new PassThrough() }
  for (const [fields, message] of MISTAKES)
    await assert.rejects(createUserToken(sources, { ...WANTED, ...fields }, output), {
      name: 'Mistake',
      message,
    })
  const revoking = (ids: readonly string[], user?: string) => revokeUserTokens(sources, { ids, user }, output)
  await assert.rejects(revoking([]), { name: 'Mistake', message: /^which tokens\?/ })
  await assert.rejects(revoking(['../x']), { message: 'there is no token `../x`' })
  await assert.rejects(revoking(['../x'], 'ann'), { message: 'there is no token `../x` of user `ann`' })
  await writeFile(join(folder, 'file'), '')
  const { code, stdout, stderr } = await run('create', '--user', 'x', '--data', 'file')
  assert.deepEqual([code, stdout], [1, ''])
  assert.match(stderr, /^verdaccio-cargo: there is no registry at `[^`]*file`: it is no folder\n$/)
  assert.equal(output.out.read(), null)
})

test('token create takes an empty limit for a mistake, not for no limit', async (t) => {
  const { run } = await command(t)
  const limits = [
    ['--crates', ''],
    ['--crates', 'acme-*', ' '],
    ['--actions', ','],
  ]
  const ended = await Promise.all(limits.map((limit) => run('create', '--user', 'ci', ...limit)))
  for (const { code, stdout, stderr } of ended) {
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /^error: option '--(crates|actions) .* is invalid\. It must not be empty/)
  }
  assert.equal((await run('list')).stdout, '')
})

test('the token commands make no registry where there is none', async (t) => {
  const { run, folder } = await command(t)
  const commands = [['create', '--user', 'x'], ['list'], ['revoke', '--user', 'x']]
  const ended = await Promise.all(commands.map((args) => run(...args, '--data', 'typo')))
  const stderr = `verdaccio-cargo: there is no registry at \`${join(folder, 'typo')}\`: no such folder\n`
  assert.deepEqual(ended, Array(3).fill({ code: 1, stdout: '', stderr }))
  assert.deepEqual(await readdir(folder), ['registry-data'])
})

test('the bundled server lets people with passwords make tokens, takes those of the command, and logs neither', async (t) => {
  const { run, folder } = await command(t)
  const hash = createHash('sha1').update('pw-of-joe').digest('base64')
  await writeFile(join(folder, 'users'), `joe:{SHA}${hash}\n`)
  const log: string[] = []
  const hear = (fields: object, message: string) => void log.push(JSON.stringify({ ...fields, message }))
  const config = parseConfig({
    listen: '127.0.0.1:0',
    storage: { fs: { path: join(folder, 'registry-data') } },
    auth: { htpasswd: join(folder, 'users') },
  })
  const logger = { debug: hear, info: hear, warn: hear, error: hear }
  const server = await createServer(config, { environment: {}, logger })
  t.after(() => server.close())
  const ask = (path: string, authorization: string, init: RequestInit = {}) =>
    fetch(server.url + path, { ...init, headers: { authorization, 'content-type': 'application/json' } })

  const joe = `Basic ${Buffer.from('joe:pw-of-joe').toString('base64')}`
  const body = JSON.stringify({ api_token: { name: 'mine' } })
  const answer = await ask('/api/v1/me/tokens', joe, { method: 'PUT', body })
  const { api_token } = (await answer.json()) as { api_token: { token: string } }
  const given = (await run('create', '--user', 'ci')).stdout.trimEnd()
  for (const token of [api_token.token, given]) assert.equal((await ask('/config.json', token)).status, 200)
  const page = await ask('/me/tokens', joe)
  assert.equal(page.status, 200)
  assert.match(await page.text(), /<td>mine<\/td>/)
  const listed = await run('list')
  assert.match(listed.stdout, /user joe {2}name "mine"/)
  assert.ok(log.length >= 4)
  for (const secret of [api_token.token.slice(7), given.slice(7), 'pw-of-joe', joe.slice(6)])
    assert.ok(!log.join('\n').includes(secret))
})
