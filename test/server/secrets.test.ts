import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { cargo } from '../../src/plugin.ts'
import { rawPipeline } from '../http/differential/raw-pipeline.ts'
import { crateFile, publishBody } from '../support/crate-file.ts'
import { type Canary, leaks, type Sink } from './secrets/canaries.ts'
import { MISPLACED, misuses } from './secrets/misuse.ts'
import { fileSinks, outwardSinks, processSinks, redisSinks } from './secrets/sinks.ts'
import { redisCli, SECRETS, startWatched, type WatchedRegistry } from './secrets/watched-registry.ts'

/** What runs behind the answers is over by then. */
const SETTLE_MS = 1_500

test('secrets are in no log, metric, cache, store, answer or message to others', async (t) => {
  const registry = await startWatched(t)
  const made = await makeTokens(registry)
  const canaries = [...Object.values(SECRETS), ...Object.values(MISPLACED), ...made.canaries]
  const tokens = made.canaries.map(({ text }) => text)
  const answers = await misuse(registry, tokens)
  await sleep(SETTLE_MS)
  const seen = [...processSinks(registry), ...(await redisSinks(registry))]
  await registry.stop()
  const sinks = [...made.sinks, ...answers, ...seen, ...fileSinks(registry), ...outwardSinks(registry)]
  mustHaveBeenBusy(registry, sinks)
  assert.deepEqual(leaks(sinks, canaries), [])

  await plant(registry)
  const found = leaks([...fileSinks(registry), ...(await redisSinks(registry))], canaries)
  for (const { place, what } of PLANTED)
    assert.ok(
      found.some((leak) => leak.startsWith(what) && leak.includes(place)),
      `${what} was not found in ${place}: ${found}`,
    )
})

/** That every place was used: what is empty has no secrets. */
function mustHaveBeenBusy(registry: WatchedRegistry, sinks: readonly Sink[]): void {
  const size = (title: RegExp) =>
    sinks.filter((sink) => title.test(sink.title)).reduce((sum, { text }) => sum + text.length, 0)
  assert.ok(size(/^the answer to/) > 100_000)
  assert.ok(size(/^the metrics/) > 1_000)
  assert.ok(size(/^the file log/) > 100_000)
  assert.ok(size(/^the file data\/(blobs|crates|tokens|upstream)\//) > 2_000)
  assert.ok(size(/^what Redis was asked/) > 2_000)
  assert.ok(size(/^the key .* in Redis/) > 500)
  assert.ok(registry.hooked.length > 2, `${registry.hooked.length} events`)
  assert.ok(registry.uplink.requests.length > 20, `${registry.uplink.requests.length} requests`)
}

const { token, password, uplink, webhook } = SECRETS
const basic = Buffer.from(`person:${password.text}`).toString('base64')

/** Secrets where they must not be, which have to be found. */
const PLANTED = [
  { what: token.title, place: 'the file log' },
  { what: password.title, place: 'the key planted in Redis' },
  { what: uplink.title, place: 'the file data/blobs/planted' },
  { what: webhook.title, place: `the file tmp/${webhook.text.replace(/[^a-z]/gi, '')}` },
] as const

async function plant(registry: WatchedRegistry): Promise<void> {
  appendFileSync(registry.log, `{"path":"/cargo/?token=${token.text}"}\n`)
  const file = gzipSync(`authorization = "${uplink.text}"`)
  writeFileSync(join(registry.folder, 'data/blobs/planted'), file)
  writeFileSync(join(registry.folder, PLANTED[3].place.replace('the file ', '')), `x${webhook.text}`)
  const cli = redisCli(registry.redis, 'SET', 'planted', `{"headers":{"a":"Basic ${basic}"}}`)
  await promisify(execFile)('redis-cli', cli.args, cli.options)
}

async function makeTokens(registry: WatchedRegistry): Promise<{ canaries: Canary[]; sinks: Sink[] }> {
  const { stdout, stderr } = await registry.command('token', 'create', '--user', 'ann')
  const api = `${registry.url}/api/v1/me/tokens`
  const authorization = `Basic ${Buffer.from(`person:${SECRETS.password.text}`).toString('base64')}`
  const headers = { authorization, 'content-type': 'application/json' }
  const response = await fetch(api, { method: 'PUT', headers, body: '{"api_token":{"name":"one"}}' })
  const told = await response.text()
  const self = JSON.parse(told).api_token.token
  const canaries = [
    { title: 'a token of the command', text: stdout.trim() },
    { title: 'a token made at /me/tokens', text: self },
  ]
  const listed = await registry.command('token', 'list')
  return {
    canaries,
    sinks: [
      { title: 'the command that makes tokens', text: stdout + stderr, mayHave: ['a token of the command'] },
      { title: 'the answer with a new token', text: told, mayHave: ['a token made at /me/tokens'] },
      { title: 'the list of tokens', text: listed.stdout + listed.stderr },
    ],
  }
}

async function misuse(registry: WatchedRegistry, tokens: readonly string[]): Promise<readonly Sink[]> {
  const { port, pathname: mount } = new URL(registry.url)
  const ask = rawPipeline(Number(port))
  const nobody = { authenticate: async () => undefined, authorize: async () => false }
  const { routes } = cargo({ auth: nobody, storage: memoryStorage() }, {})
  const headers = { authorization: SECRETS.token.text }
  const first = { method: 'PUT', target: `${mount}/api/v1/crates/new`, headers }
  const sinks: Sink[] = []
  const round = async (about = /./) => {
    const requests = misuses(mount, routes, tokens).filter(({ target }) => about.test(target))
    for (const [nth, { head, body }] of (await ask(requests)).entries()) {
      const { method, target } = requests[nth] ?? first
      sinks.push({ title: `the answer to ${method} ${target}`, text: `${head}\n\n${body}` })
    }
  }
  const [published] = await ask([{ ...first, body: publishBody(crateFile('own-crate')) }])
  assert.equal(published?.status, 200)
  await round()
  const { uplink, elsewhere } = registry
  uplink.fault(/spoilt/, { mode: '307', location: `${elsewhere.url}sp/oi/spoilt` })
  await round(/proxied|spoilt/)
  for (const fault of ['401', '500', 'html200', 'hang-up', '429'] as const) {
    uplink.heal()
    uplink.fault(/./, fault)
    await round(/proxied|spoilt/)
  }
  await uplink.stop()
  await round(/proxied|spoilt/)
  const [metrics] = await ask([{ method: 'GET', target: '/metrics', headers: {} }])
  assert.equal(metrics?.status, 200)
  return [...sinks, { title: 'the metrics', text: metrics.body }]
}
