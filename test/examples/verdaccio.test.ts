import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { temporaryFolder } from '../support/cargo.ts'
import { freePort } from '../support/free-port.ts'
import { pack } from '../verdaccio/install.ts'
import { converse } from '../verdaccio/terminal.ts'

const README = join(import.meta.dirname, '../../examples/verdaccio/README.md')
const START_MS = 150_000
const PASSWORD = 'secret-of-zoe'

test('the README of the example in Verdaccio is followed to its end', { timeout: 175_000 }, async (t) => {
  const port = await freePort()
  const text = (await readFile(README, 'utf8')).replaceAll('localhost:4873', `127.0.0.1:${port}`)
  const [install, use, ...more] = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, lines]) => lines)
  assert.ok(install !== undefined && use !== undefined)
  assert.equal(more.length, 0)
  await serve(t, install, port)
  const printed = await converse(['bash', '-euc', use], {
    cwd: await temporaryFolder(t),
    env: await environment(t),
    answers: [
      ['Username:', 'zoe'],
      ['Password:', PASSWORD],
      ['Email', 'zoe@example.org'],
      ['password:', PASSWORD],
      ['paste the token', (before) => /Created .*token (\S+)/.exec(before)?.[1] ?? ''],
    ],
  })
  for (const said of ['Published hello-acme v0.1.0', 'Compiling hello-acme v0.1.0', 'Finished'])
    assert.ok(printed.includes(said), `no ${said} in ${printed}`)
})

/** Does what the README says of the server, in an empty folder, until it answers. */
async function serve(t: TestContext, commands: string, port: number): Promise<void> {
  const folder = join(await temporaryFolder(t), 'empty')
  await mkdir(folder)
  const lines = commands
    // The package is not on npm before it is published; nor has every registry the dist-tag that Verdaccio asks for.
    .replace(
      'npm install verdaccio verdaccio-cargo',
      `npm pkg set overrides.node-fetch=2.7.0\nnpm install verdaccio ${await pack(await temporaryFolder(t))}`,
    )
    .replace(/^npx verdaccio .*$/m, `exec $& --listen 127.0.0.1:${port}`)
  const env = await environment(t)
  const child = spawn('bash', ['-euc', lines], { cwd: folder, env, detached: true })
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
  t.after(async () => {
    if (child.exitCode !== null || child.pid === undefined) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    // npx and what it started.
    process.kill(-child.pid, 'SIGKILL')
    await ended
  })
  const begun = performance.now()
  while (
    !(await fetch(`http://127.0.0.1:${port}/-/ping`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (child.exitCode !== null) throw new Error(`it ended:\n${printed}`)
    if (performance.now() - begun > START_MS) throw new Error(`it does not answer:\n${printed}`)
    await sleep(100)
  }
}

/** Of somebody who never used npm or cargo; what `npm install` has fetched before is near. */
async function environment(t: TestContext): Promise<NodeJS.ProcessEnv> {
  const home = await temporaryFolder(t)
  return {
    ...process.env,
    CARGO_HOME: join(home, 'cargo'),
    CARGO_TARGET_DIR: join(home, 'target'),
    CARGO_TERM_COLOR: 'never',
    npm_config_userconfig: join(home, '.npmrc'),
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
  }
}
