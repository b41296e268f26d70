import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHmac, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { signatureHeaders } from '../src/webhooks/signature.ts'
import { startBundled } from './support/bundled.ts'
import { temporaryFolder } from './support/cargo.ts'
import { renderReadme } from './support/readme.ts'
import { SECRET } from './support/webhook-receiver.ts'

const ROOT = join(import.meta.dirname, '..')

test("the README's tables of options say what the schemas say", async () => {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8')
  assert.equal(readme, renderReadme(readme), 'run `npm run docs`')
  assert.throws(
    () => renderReadme(''),
    /the README has no lines `<!-- options: packages -->` and `<!-- \/options -->`/,
  )
  const foreign = '<!-- options: nope -->\n<!-- /options -->'
  assert.throws(
    () => renderReadme(`${readme}${foreign}`),
    /`<!-- options: nope -->` in the README has no table/,
  )
})

test("the README's lines for a receiver of webhooks tell what is ours", async () => {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8')
  const [, lines = ''] = /```js\n([\s\S]*?)```/.exec(readme.slice(readme.indexOf('### Webhooks'))) ?? []
  const names = ['headers', 'rawBody', 'process', 'createHmac', 'timingSafeEqual']
  const receive = new Function(...names, `${lines}\nreturn isOurs`)
  const message = { id: 'msg_1', timestamp: 1_700_000_000, body: '{"type":"ping"}' }
  const headers = signatureHeaders(SECRET, message)
  const isOurs = (rawBody: string, secret: string) =>
    receive(headers, rawBody, { env: { HOOK_SECRET: secret } }, createHmac, timingSafeEqual)
  for (const secret of [SECRET, `whsec_${SECRET}`]) assert.equal(isOurs(message.body, secret), true)
  assert.equal(isOurs(`${message.body} `, SECRET), false)
  assert.equal(isOurs(message.body, SECRET.replace('M', 'N')), false)
})

test("the README's first steps work, word for word", { timeout: 120_000 }, async (t) => {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8')
  const steps = readme.slice(readme.indexOf('## First steps'))
  const [, config = ''] = /```toml\n([\s\S]*?)```/.exec(steps) ?? []
  const [, script = ''] = /```sh\n([\s\S]*?)```/.exec(steps) ?? []
  assert.match(script, /cargo publish/)
  const folder = await temporaryFolder(t)
  const { port, printed } = await startBundled(t, folder)
  const token = /once:\n\n(\S+)\n/.exec(printed)?.[1] ?? ''

  const home = join(folder, 'home')
  await mkdir(home)
  // A free port instead of 8081: the only change to what a reader types.
  await writeFile(join(home, 'config.toml'), config.replaceAll('127.0.0.1:8081', `127.0.0.1:${port}`))
  const bash = spawn('bash', ['-e', '-c', script], {
    cwd: folder,
    env: { ...process.env, CARGO_HOME: home, CARGO_TERM_COLOR: 'never' },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  bash.stdin.end(`${token}\n`)
  const [[code], stdout, stderr] = await Promise.all([
    once(bash, 'exit'),
    text(bash.stdout),
    text(bash.stderr),
  ])
  assert.equal(code, 0, stderr)
  assert.match(stderr, /Published hello-registry v0\.1\.0 at registry `local`/)
  assert.match(stderr, /Compiling hello-registry v0\.1\.0 \(registry `local`\)/)
  assert.match(stderr, /Yank hello-registry@0\.1\.0/)
  assert.match(stdout, /hello-registry = "0\.1\.0"/)
  assert.match(stdout, /^admin$/m)
})

test("the README's Koa host runs as it is written", async (t) => {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8')
  const [, script = ''] = /```js\n([\s\S]*?)```/.exec(readme.slice(readme.indexOf('## In a Koa host'))) ?? []
  const folder = await temporaryFolder(t)
  // As after `npm install`.
  await mkdir(join(folder, 'node_modules'))
  await symlink(ROOT, join(folder, 'node_modules/verdaccio-cargo'))
  await symlink(join(ROOT, 'node_modules/koa'), join(folder, 'node_modules/koa'))
  // A free port instead of 8081: the only change to what a reader types.
  const port = /app\.listen\(8081\)/
  assert.match(script, port)
  const program = script.replace(port, 'app.listen(0, function () { console.log(this.address().port) })')
  await writeFile(join(folder, 'host.mjs'), program)
  const child = spawn(process.execPath, ['host.mjs'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => void child.kill())
  const [line] = await once(child.stdout, 'data')
  const url = `http://127.0.0.1:${String(line).trim()}/cargo`
  assert.deepEqual(await (await fetch(`${url}/config.json`)).json(), {
    dl: 'https://artifacts.example.org/cargo/api/v1/crates',
    api: 'https://artifacts.example.org/cargo',
  })
  const put = { method: 'PUT', headers: { authorization: 'nobody' }, body: 'x' }
  assert.equal((await fetch(`${url}/api/v1/crates/new`, put)).status, 401)
})
