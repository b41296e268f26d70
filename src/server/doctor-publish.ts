import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { indexPath } from '../protocol/name.ts'
import { encodePublishBody } from '../protocol/publish-body.ts'
import { tinyCrate } from './doctor-crate.ts'
import { type Outcome, type Outcomes, ok, renderMs, wrong } from './doctor-outcome.ts'
import { ask, errorOf, type Reply } from './doctor-request.ts'
import { bodyRemedy, plainCrateOutcome, type UrlTarget } from './doctor-url.ts'
import { reasonOf } from './reason.ts'

const VERSION = '0.0.0'
const CRATES = '/api/v1/crates'
/** What is published is there at the answer, and elsewhere within a second; cargo waits for a minute. */
const VISIBLE_MS = 5_000
const POLL_MS = 100

/** Uploads as much as a publish may be, publishes a tiny crate, downloads it, and takes it back. */
export async function* checkPublish(target: UrlTarget & { readonly token: string }): Outcomes {
  const name = `verdaccio-cargo-doctor-${randomBytes(4).toString('hex')}`
  yield await uploadOutcome(target, name)
  const { body, file } = tinyCrate(name, VERSION)
  const reply = await send(target, 'PUT', `${CRATES}/new`, body)
  if (reply.status !== 200) {
    yield refused('a publish', reply)
    return
  }
  yield ok(`published \`${name}\``)
  try {
    yield await visibleOutcome(target, name)
    yield await downloadOutcome(target, name, file)
    yield await plainCrateOutcome(downloadUrl(target, name), target.token)
  } finally {
    yield await takeBack(target, name)
  }
}

/** Bytes that are no crate: the registry reads them all and refuses them, nothing is stored. */
async function uploadOutcome(target: UrlTarget, name: string): Promise<Outcome> {
  const what = `an upload of ${target.maxCrate} bytes`
  const body = encodePublishBody({ name, vers: VERSION, deps: [] }, Buffer.alloc(target.maxCrate))
  try {
    const reply = await send(target, 'PUT', `${CRATES}/new`, body)
    if (reply.status === 400 && errorOf(reply) !== undefined) return ok(`${what} arrives`)
    if (reply.status === 413) return wrong(`${what} is refused with 413`, bodyRemedy(target.maxCrate))
    return refused(what, reply)
  } catch (error) {
    return wrong(`${what} breaks the connection: ${reasonOf(error)}`, bodyRemedy(target.maxCrate))
  }
}

async function visibleOutcome(target: UrlTarget, name: string): Promise<Outcome> {
  const before = performance.now()
  for (;;) {
    const { status, body } = await send(target, 'GET', `/${indexPath(name)}`)
    const took = performance.now() - before
    if (status === 200 && body.includes(`"vers":"${VERSION}"`))
      return ok(`it is in the index after ${renderMs(took)}`)
    if (took > VISIBLE_MS)
      return wrong(
        `it is not in the index after ${renderMs(took)}, where the answer is ${status}`,
        'let no proxy keep index files, or let it ask every time: they have an `ETag`',
      )
    await sleep(POLL_MS)
  }
}

async function downloadOutcome(target: UrlTarget, name: string, file: Buffer): Promise<Outcome> {
  const { status, body } = await send(target, 'GET', `${CRATES}/${name}/${VERSION}/download`)
  if (status === 200 && body.equals(file)) return ok('what is downloaded is what was published')
  if (status !== 200) return wrong(`its download is answered with ${status}`, 'look at the log of the server')
  return wrong('what is downloaded is not what was published', 'let no proxy change or keep `.crate` files')
}

/** Removed where the rules let the token do that, else yanked. */
async function takeBack(target: UrlTarget, name: string): Promise<Outcome> {
  const removal = await send(target, 'DELETE', `${CRATES}/${name}`)
  if (removal.status === 200) return ok('removed it; its name stays taken')
  const yank = await send(target, 'DELETE', `${CRATES}/${name}/${VERSION}/yank`)
  if (yank.status === 200) return ok('yanked it; `unpublish` in the rules would let it be removed')
  return refused(`the yank of \`${name}\``, yank)
}

function refused(what: string, reply: Reply): Outcome {
  const detail = errorOf(reply)
  const text = `${what} is answered with ${reply.status}${detail === undefined ? '' : `: ${detail}`}`
  if (detail === undefined)
    return wrong(text, 'let the proxy pass PUT, DELETE and `Authorization` on as they are')
  if (reply.status === 401 || reply.status === 403)
    return wrong(
      text,
      'give a token in VERDACCIO_CARGO_TOKEN whose user may publish `verdaccio-cargo-doctor-*`',
    )
  return wrong(text, 'look at the log of the server')
}

function downloadUrl({ base }: UrlTarget, name: string): string {
  return `${base}${CRATES}/${name}/${VERSION}/download`
}

function send(
  { base, token = '' }: UrlTarget,
  method: string,
  path: string,
  body?: Uint8Array,
): Promise<Reply> {
  return ask(base + path, {
    method,
    headers: { Authorization: token },
    ...(body && { body }),
  })
}
