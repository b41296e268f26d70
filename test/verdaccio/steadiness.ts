import assert from 'node:assert/strict'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { crateFile } from '../support/crate-file.ts'
import { type Client, clientOf } from './client.ts'
import { startVerdaccio, type Verdaccio } from './host.ts'
import type { Installation } from './install.ts'
import type { NpmUser } from './npm.ts'

/** What people send who mean harm, or whose machine is broken, behind `PUT /api/v1/crates/new`. */
const GARBAGE: readonly (readonly [title: string, headers: string, body: string | Buffer])[] = [
  ['an upload that stops', 'Content-Length: 100000', Buffer.alloc(500)],
  ['an upload without a length', 'Transfer-Encoding: chunked', '5\r\nhello\r\n'],
  ['a chunk that is none', 'Transfer-Encoding: chunked', 'zz\r\n'],
  ['lengths that lie', 'Content-Length: 8', Buffer.alloc(8, 0xff)],
  ['nothing', 'Content-Length: 0', ''],
  ['JSON that is none', 'Content-Type: application/json\r\nContent-Length: 5', '{"a":'],
  ['a body nobody waits for', 'Expect: 100-continue\r\nContent-Length: 999', ''],
]

/** npm does what it did before while cargo publishes, reads, breaks off and sends garbage; nothing ends the process. */
export async function npmIsUndisturbed(t: TestContext, installed: Installation): Promise<void> {
  const verdaccio = await startVerdaccio(t, installed)
  const pid = verdaccio.pid()
  const zoe = await verdaccio.addUser('zoe')
  const client = clientOf(verdaccio.url, zoe.token)
  const traffic = startTraffic(client, verdaccio, zoe)
  t.after(() => void traffic.end())
  for (const version of ['1.0.0', '1.1.0']) await publishAndInstall(verdaccio, zoe, version)
  const done = await traffic.end()
  assert.ok(done.published > 0 && done.broken > GARBAGE.length, JSON.stringify(done))
  assert.deepEqual(done.wrong, [])

  await storageBreaks(verdaccio, client)
  await publishAndInstall(verdaccio, zoe, '1.2.0')
  assert.equal(await client.publish(crateFile('afterwards')), 200)
  assert.equal(verdaccio.pid(), pid)
  process.kill(pid, 0)
  assert.ok(!/uncaught|unhandled|"level":60/i.test(verdaccio.log()), verdaccio.log())
}

function startTraffic(client: Client, verdaccio: Verdaccio, { token }: NpmUser) {
  const done = { published: 0, broken: 0, wrong: [] as string[] }
  let isOver = false
  const publishing = (async () => {
    for (let patch = 0; !isOver; patch++) {
      const version = `1.0.${patch}`
      const status = await client.publish(crateFile('busy', version))
      if (status === 200 && (await client.versions('busy'))?.has(version)) done.published += 1
      else done.wrong.push(`${version} is ${status}`)
    }
  })()
  const breaking = (async () => {
    while (!isOver) {
      await Promise.all(GARBAGE.map(([, headers, body]) => breakOff(verdaccio, token, headers, body)))
      done.broken += GARBAGE.length
    }
  })()
  return {
    async end() {
      isOver = true
      await Promise.all([publishing, breaking])
      return done
    },
  }
}

/** Sends as much as there is, and leaves in the middle of whatever comes. */
function breakOff({ url }: Verdaccio, token: string, headers: string, body: string | Buffer): Promise<void> {
  const { hostname, port, pathname } = new URL(url)
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname)
    const lines = [
      `PUT ${pathname}/api/v1/crates/new HTTP/1.1`,
      `Host: ${hostname}`,
      `Authorization: ${token}`,
      headers,
    ]
    socket.write(`${lines.join('\r\n')}\r\n\r\n`)
    socket.write(body)
    socket.on('error', () => {})
    socket.on('close', () => resolve())
    void sleep(100).then(() => socket.destroy())
  })
}

/** Where crates are kept there is a file for a while: cargo hears 503, never of absence. */
async function storageBreaks({ folder }: Verdaccio, client: Client): Promise<void> {
  const place = join(folder, 'storage', '.cargo')
  await rename(place, `${place}-away`)
  await writeFile(place, 'no folder')
  const file = await client.ask('/un/se/unseen-yet')
  assert.equal(file.status, 503, file.text)
  assert.equal(await client.publish(crateFile('unlucky')), 503)
  await rename(place, `${place}-broken`)
  await rename(`${place}-away`, place)
}

async function publishAndInstall(verdaccio: Verdaccio, user: NpmUser, version: string): Promise<void> {
  const source = join(user.home, `source-${version}`)
  const place = join(user.home, `place-${version}`)
  for (const folder of [source, place]) await mkdir(folder, { recursive: true })
  await writeFile(join(source, 'package.json'), JSON.stringify({ name: 'steady', version }))
  await verdaccio.npm(user, 'publish', source)
  const said = await verdaccio.npm(user, 'install', '--prefix', place, `steady@${version}`)
  assert.match(said, /added 1 package/)
}

/** Requests of npm's side, of which the answers must not depend on the plugin. */
const REQUESTS: readonly (readonly [method: string, path: string])[] = [
  ['GET', '/-/ping'],
  ['GET', '/-/whoami'],
  ['GET', '/-/v1/search?text=steady'],
  ['GET', '/steady'],
  ['GET', '/cargo'],
  ['GET', '/-/cargoes'],
  ['GET', '/steady/-/steady-1.0.0.tgz'],
  ['GET', '/absent'],
  ['GET', '/-/nothing'],
  ['HEAD', '/steady'],
  ['PUT', '/absent'],
  ['DELETE', '/absent/-rev/1'],
  ['OPTIONS', '/steady'],
]

/** npm's answers with the plugin are those without it. */
export async function npmAnswersAreTheSame(t: TestContext, installed: Installation): Promise<void> {
  const answers: string[][] = []
  for (const enabled of [true, false]) {
    const verdaccio = await startVerdaccio(t, installed, { cargo: { enabled } })
    const zoe = await verdaccio.addUser('zoe')
    await publishAndInstall(verdaccio, zoe, '1.0.0')
    if (enabled) assert.equal(await clientOf(verdaccio.url, zoe.token).publish(crateFile('steady')), 200)
    const said: string[] = []
    for (const credential of [undefined, `Bearer ${zoe.token}`, zoe.token, 'garbage'])
      for (const [method, path] of REQUESTS) {
        const headers = credential === undefined ? {} : { authorization: credential }
        const response = await fetch(verdaccio.origin + path, { method, headers })
        const text = await response.text()
        said.push(
          `${method} ${path} ${response.status} ${shape(response.headers)} ${untimed(text, verdaccio)}`,
        )
      }
    if (!enabled) assert.equal((await fetch(`${verdaccio.url}/config.json`)).status, 404)
    answers.push(said)
    await verdaccio.kill()
  }
  assert.deepEqual(answers[0], answers[1])
}

/** The names of the headers, and the values of those that are no tag, time or length. */
function shape(headers: Headers): string {
  return [...headers]
    .map(([name, value]) =>
      /^(etag|date|content-length|(x-)?ratelimit.*)$/.test(name) ? name : `${name}: ${value}`,
    )
    .sort()
    .join(', ')
}

/** Without what differs between two servers of the same content. */
function untimed(text: string, { origin }: Verdaccio): string {
  return text
    .replaceAll(origin, 'ORIGIN')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z|\w{3}, [^"]* GMT/g, 'TIME')
    .replaceAll(/"_rev": ?"[^"]*"/g, 'REV')
    .replaceAll(/"(_id|_nodeVersion|_npmVersion)": ?"[^"]*"/g, '')
    .replaceAll(/\b1\d{12}\b/g, 'MS')
}
