import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, type TestContext, test } from 'node:test'
import { temporaryFolder } from '../support/cargo.ts'
import { crateFile, publishBody } from '../support/crate-file.ts'
import { eventually } from '../support/until.ts'
import { SECRET, startReceiver } from '../support/webhook-receiver.ts'

const MAIN = join(import.meta.dirname, '../../src/server/main.ts')
const ENVIRONMENT = { ...process.env, HOOK_SECRET: `whsec_${SECRET}`, CI_TOKEN: 'token-of-ci' }

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A folder with settings that tell `url` of everything. */
async function settings(t: TestContext, url: string, hook: object = {}) {
  const folder = await temporaryFolder(t)
  const config = join(folder, 'config.json')
  const cargo = { uplinks: {}, webhooks: [{ url, secret_env: 'HOOK_SECRET', ...hook }] }
  const auth = { tokens: [{ token_env: 'CI_TOKEN', user: 'ci' }] }
  const storage = { fs: { path: './data' } }
  await writeFile(config, JSON.stringify({ listen: '127.0.0.1:0', storage, auth, cargo }))
  return { folder, config }
}

async function startServer(t: TestContext, config: string) {
  const child = spawn(process.execPath, [MAIN, '--config', config], {
    env: ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => void child.kill('SIGKILL'))
  const log = text(child.stderr)
  const [line] = await once(child.stdout, 'data')
  const [url = ''] = /http:\S+[^/\s]/.exec(String(line)) ?? []
  return {
    log,
    async publish(version: string) {
      const init = {
        method: 'PUT',
        headers: { authorization: 'token-of-ci' },
        body: Buffer.from(publishBody(crateFile('foo', version))),
      }
      const answer = await fetch(`${url}/api/v1/crates/new`, init)
      assert.equal(answer.status, 200, await answer.text())
    },
    metrics: async () => (await fetch(new URL('/metrics', url))).text(),
    async end(signal: NodeJS.Signals) {
      child.kill(signal)
      await once(child, 'exit')
    },
  }
}

function run(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { env: ENVIRONMENT }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

/** None where there is no folder. */
async function filesBelow(folder: string) {
  const all = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  // One that is being written has a name with `~`.
  return all.filter((file) => file.isFile() && !file.name.startsWith('~'))
}

describe('servers that are killed', { concurrency: 2 }, () => {
  test('what a killed server had not delivered is delivered after a restart', {
    timeout: 120_000,
  }, async (t) => {
    let isUp = false
    const receiver = await startReceiver(t, (response) => response.writeHead(isUp ? 204 : 503).end())
    const { folder, config } = await settings(t, receiver.url)
    const first = await startServer(t, config)
    await first.publish('1.0.0')
    // The second attempt: what became of the first is in the log by now.
    await receiver.until(2)
    const pending = join(folder, 'data/webhooks/pending')
    assert.ok(await eventually(async () => (await filesBelow(pending)).length === 1))
    await first.end('SIGKILL')

    isUp = true
    const before = receiver.messages.length
    const second = await startServer(t, config)
    // The first one is taken for dead when it was not heard of for 30 s.
    assert.ok((await receiver.until(before + 1, 90_000)).length > before)
    const last = receiver.messages.at(-1)
    assert.equal(last?.isSigned, true)
    assert.deepEqual([last?.event.type, last?.event.data['version']], ['crate.publish', '1.0.0'])
    assert.equal(new Set(receiver.messages.map(({ id }) => id)).size, 1)
    assert.ok(await eventually(async () => (await filesBelow(pending)).length === 0))
    // Counted behind the removal.
    const isCounted = async () =>
      /cargo_webhook_deliveries_total\{outcome="delivered"\} 1/.test(await second.metrics())
    assert.ok(await eventually(isCounted))
    await second.end('SIGTERM')
    const said = `${await first.log}${await second.log}`
    assert.match(said, /"msg":"webhooks: not delivered yet"/)
    const stored = await Promise.all(
      (await filesBelow(join(folder, 'data'))).map(({ parentPath, name }) =>
        readFile(join(parentPath, name), 'latin1'),
      ),
    )
    for (const all of [said, ...stored]) assert.ok(!all.includes(SECRET))
  })

  test('two servers on one storage deliver what each of them accepted, and what the other left', {
    timeout: 120_000,
  }, async (t) => {
    let isUp = false
    const receiver = await startReceiver(t, (response) => response.writeHead(isUp ? 204 : 503).end())
    const { folder, config } = await settings(t, receiver.url)
    const [one, other] = await Promise.all([startServer(t, config), startServer(t, config)])
    await Promise.all([one.publish('1.0.0'), other.publish('2.0.0')])
    await receiver.until(2)
    const pending = join(folder, 'data/webhooks/pending')
    assert.ok(await eventually(async () => (await filesBelow(pending)).length === 2))
    isUp = true
    await one.end('SIGKILL')
    const delivered = () => new Set(receiver.messages.slice(2).map(({ event }) => event.data['version']))
    assert.ok(await eventually(() => delivered().size === 2, 90_000))
    assert.equal(new Set(receiver.messages.map(({ id }) => id)).size, 2)
  })
})

test('a dead letter is listed, and sent again when asked for', { timeout: 120_000 }, async (t) => {
  let isUp = false
  const receiver = await startReceiver(t, (response) => response.writeHead(isUp ? 204 : 410).end())
  const { folder, config } = await settings(t, receiver.url)
  const server = await startServer(t, config)
  for (const version of ['1.0.0', '2.0.0']) await server.publish(version)
  const dead = join(folder, 'data/webhooks/dead')
  assert.ok(await eventually(async () => (await filesBelow(dead)).length === 2))
  const listed = await run('webhooks', 'list-dead', '--config', config)
  const { origin } = new URL(receiver.url)
  const [id = ''] = receiver.messages.map((message) => message.id).sort()
  assert.equal(listed.stdout.split('\n').length, 3)
  assert.ok(listed.stdout.startsWith(`${id}  ${origin}  publish foo@1.0.0 by ci at `), listed.stdout)
  assert.match(listed.stdout, / {2}1 attempt {2}answers 410\n/)
  const json = JSON.parse((await run('webhooks', 'list-dead', '--json', '--config', config)).stdout)
  assert.deepEqual([json.length, json[0].id], [2, id])

  isUp = true
  const unknown = `msg_${'0'.repeat(32)}`
  const some = await run('webhooks', 'redeliver', id, unknown, '--config', config)
  assert.deepEqual(some, {
    code: 1,
    stdout: `${id} is pending again\n`,
    stderr: `verdaccio-cargo: there is no dead letter \`${unknown}\`\n`,
  })
  assert.ok(await eventually(() => receiver.messages.length === 3, 30_000))
  assert.equal(receiver.messages[2]?.id, id)
  const all = await run('webhooks', 'redeliver', '--all', '--config', config)
  assert.equal(all.code, 0, all.stderr)
  assert.ok(await eventually(() => receiver.messages.length === 4, 30_000))
  assert.equal((await run('webhooks', 'list-dead', '--config', config)).stdout, '')
  const none = await run('webhooks', 'redeliver', '--config', config)
  assert.deepEqual([none.code, none.stderr], [1, 'verdaccio-cargo: which events? give ids, or `--all`\n'])
})

test('a secret that is not in the environment stops the start, doctor pings a webhook', async (t) => {
  const receiver = await startReceiver(t, (response, n) => response.writeHead(n === 1 ? 204 : 401).end())
  const { config } = await settings(t, receiver.url)
  const missing = await settings(t, receiver.url, { secret_env: 'NOT_THERE' })
  const { code, stderr } = await run('--config', missing.config)
  assert.equal(code, 1)
  assert.match(stderr, /`cargo\.webhooks\.0\.secret_env`: the environment variable `NOT_THERE` is not set\n$/)
  const { origin } = new URL(receiver.url)
  const asked = await run('doctor', '--config', config)
  assert.ok(
    asked.stdout.includes(`skipped webhook ${origin}: not asked: \`--write\` sends it a signed \`ping\`\n`),
  )
  const pinged = await run('doctor', '--write', '--config', config)
  assert.match(pinged.stdout, /ok {6}webhook http:\S+: takes a signed `ping`, within/)
  assert.deepEqual(
    receiver.messages.map(({ event, isSigned }) => [event.type, isSigned]),
    [['ping', true]],
  )
  const refused = await run('doctor', '--write', '--config', config)
  assert.match(refused.stdout, /wrong {3}webhook http:\S+: to a signed `ping` it answers 401: look at/)
})
