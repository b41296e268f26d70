import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { loadConfig } from '../../src/server/config-sources.ts'
import { cargoHome, temporaryFolder } from '../support/cargo.ts'
import { freePort } from '../support/free-port.ts'
import { ensureTools } from '../support/tools.ts'

const ROOT = join(import.meta.dirname, '../..')
const FOLDER = join(ROOT, 'examples/cluster')
const run = promisify(execFile)

/** The commands of the README, block by block. */
async function commands(): Promise<readonly string[]> {
  const readme = await readFile(join(FOLDER, 'README.md'), 'utf8')
  return [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block)
}

async function untilSaid(child: ChildProcess, pattern: RegExp): Promise<void> {
  let text = ''
  child.stderr?.on('data', (chunk) => {
    text += chunk
  })
  for await (const chunk of child.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
    text += chunk
    if (pattern.test(text)) return
  }
  throw new Error(text)
}

test('the README of the cluster is right, word for word', { timeout: 170_000 }, async (t) => {
  await ensureTools(['nginx', 'redis-server', 'openssl'])
  const [start = '', use = '', stop = ''] = await commands()
  const folder = await temporaryFolder(t)
  const [https, a, b, redis, s3] = await Promise.all(Array.from({ length: 5 }, freePort))
  const data = join(folder, 'run')
  const env = {
    ...process.env,
    ...{ HTTPS_PORT: `${https}`, PORT_A: `${a}`, PORT_B: `${b}`, REDIS_PORT: `${redis}`, S3_PORT: `${s3}` },
    ...{ RUN: data, VERDACCIO_CARGO_CARGO__UPLINKS: '{}', CLUSTER_TOKEN: 'token-of-ann' },
  }
  const [install, build, token, command = ''] = start.trim().split('\n')
  // Both are done before any test; the token is one of this test.
  assert.deepEqual([install, build], ['npm ci', 'npm run build'])
  assert.equal(token, 'export CLUSTER_TOKEN=$(openssl rand -hex 32)')
  const cluster = spawn(`exec ${command}`, {
    shell: true,
    cwd: ROOT,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(cluster, 'exit')
  t.after(async () => {
    if (cluster.exitCode === null) process.kill(-(cluster.pid ?? 0), 'SIGTERM')
    await ended
  })
  await untilSaid(cluster, /The cluster serves https:\S+\/cargo\//)

  const here = (text: string) =>
    text
      .replaceAll('localhost:8443', `localhost:${https}`)
      .replaceAll('/tmp/cluster-trial', join(folder, 'trial'))
      .replaceAll('$PWD/examples/cluster/run', data)
      .replaceAll('examples/cluster/run', data)
  const home = await cargoHome(t, { registries: {} })
  const bash = (script: string, cargoFolder = home.folder) =>
    run('bash', ['-euo', 'pipefail', '-c', here(script)], {
      cwd: ROOT,
      env: { ...env, CARGO_HOME: cargoFolder, CARGO_TARGET_DIR: join(folder, 'target'), ...NO_CRATES_IO },
    })
  const { stderr } = await bash(use)
  assert.match(stderr, /Published hello-cluster v0\.1\.0 at registry `cluster`/)
  assert.match(stderr, /Downloaded hello-cluster v0\.1\.0 \(registry `cluster`\)/)

  // The one that took the publish goes; the other has the crate all the same.
  const took = await replicaThatPublished(data)
  await bash(stop.replace('replica-a', took))
  const other = await cargoHome(t, { registries: {} })
  const environment = use.split('\n').filter((line) => line.startsWith('export '))
  const fetch = [...environment, 'cd /tmp/cluster-trial/client', 'cargo fetch'].join('\n')
  assert.match((await bash(fetch, other.folder)).stderr, /Downloaded hello-cluster v0\.1\.0/)
  const again = [
    ...environment,
    'cd /tmp/cluster-trial/hello-cluster',
    `sed -i 's/^version = .*/version = "0.2.0"/' Cargo.toml`,
    'cargo publish --registry cluster --allow-dirty',
  ]
  assert.match((await bash(again.join('\n'))).stderr, /Published hello-cluster v0\.2\.0/)

  process.kill(cluster.pid ?? 0, 'SIGTERM')
  assert.deepEqual(await ended, [0, null])
})

/** Nothing listens there. */
const NO_CRATES_IO = { __CARGO_TEST_CRATES_IO_URL_DO_NOT_USE_THIS: 'sparse+http://127.0.0.1:1/' }

async function replicaThatPublished(data: string): Promise<string> {
  for (const name of ['replica-a', 'replica-b']) {
    const log = await readFile(join(data, `${name}.log`), 'utf8')
    if (/"path":"\/cargo\/api\/v1\/crates\/new","status":200/.test(log)) return name
  }
  throw new Error('no replica has taken the publish')
}

test('the script of the cluster says what is missing', async () => {
  await assert.rejects(
    run(join(FOLDER, 'start.sh'), {
      env: { PATH: process.env['PATH'], HOME: '/nonexistent', S3_SERVER: '/nonexistent' },
    }),
    { code: 1, stderr: /^start\.sh: versitygw is missing: go install \S+versitygw@v1\.8\.0/ },
  )
  await assert.rejects(run(join(FOLDER, 'start.sh'), { env: { ...process.env, CLUSTER_TOKEN: '' } }), {
    code: 1,
    stderr: /^start\.sh: CLUSTER_TOKEN is not set: export CLUSTER_TOKEN=/,
  })
})

test('the replicas of the compose file have settings that the server takes', async () => {
  const compose = parse(await readFile(join(FOLDER, 'compose.yaml'), 'utf8'), { merge: true })
  const { services } = compose
  for (const name of ['replica-a', 'replica-b']) {
    const { command, environment } = services[name]
    const file = /--config (\S+)$/.exec(command)?.[1]
    const config = await loadConfig({ file, environment, workingDirectory: ROOT })
    assert.equal(config.listen.port, 8081)
    const { host: redis } = new URL(String(config.redis))
    const { hostname: s3 } = new URL(config.storage.s3?.endpoint ?? '')
    for (const [service] of [redis.split(':'), [s3]]) assert.ok(service && services[service], service)
    assert.equal(services.nginx.environment[`REPLICA_${name.slice(-1).toUpperCase()}`], `${name}:8081`)
  }
})
