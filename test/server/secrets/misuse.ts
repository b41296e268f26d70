import type { ServedRoute } from '../../../src/http/routes.ts'
import { encodePublishBody } from '../../../src/protocol/publish-body.ts'
import type { RawRequest } from '../../http/differential/raw-answer.ts'
import { targetsOf } from '../../http/differential/targets.ts'
import { crateFile, publishBody } from '../../support/crate-file.ts'
import { type Canary, canary } from './canaries.ts'
import { SECRETS } from './watched-registry.ts'

/** Secrets in places where nobody should put them. */
export const MISPLACED = {
  wrongToken: canary('a wrong token'),
  wrongPassword: canary('a wrong password'),
  userName: canary('a token for a user name'),
  query: canary('a token in a query'),
  cookie: canary('a token in a cookie'),
  proxy: canary('a token for a proxy'),
  body: canary('a token in a body'),
} as const satisfies Readonly<Record<string, Canary>>

const SUBJECTS = ['own-crate', 'proxied', 'spoilt', 'missing'].map((name) => ({
  name,
  owner: 'ann',
  isThere: true,
  isHidden: false,
}))

const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

/** Credentials that are right. */
export function rightCredentials(tokens: readonly string[]): readonly string[] {
  const { token, password } = SECRETS
  return [
    token.text,
    `Bearer ${token.text}`,
    basic('ann', token.text),
    basic(token.text, ''),
    basic('person', password.text),
    ...tokens,
  ]
}

/** And those that are not. */
function wrongCredentials(): readonly string[] {
  const { wrongToken, wrongPassword, userName } = MISPLACED
  return [
    wrongToken.text,
    `Bearer ${wrongToken.text}`,
    `Token ${wrongToken.text}`,
    `Digest username="ann", response="${wrongToken.text}"`,
    `Basic ${wrongToken.text}!`,
    basic('person', wrongPassword.text),
    basic(userName.text, ''),
    basic(userName.text, 'x'),
    `${wrongToken.text} ${'x'.repeat(5000)}`,
    `${wrongToken.text}\u00e9`,
  ]
}

/** Requests to every route with right and wrong credentials, and with secrets in every part of a request. */
export function misuses(
  mount: string,
  routes: readonly ServedRoute[],
  tokens: readonly string[],
): readonly RawRequest[] {
  const [first] = rightCredentials(tokens)
  const headers = { authorization: first ?? '' }
  const strange = {
    ...headers,
    cookie: `token=${MISPLACED.cookie.text}`,
    'proxy-authorization': MISPLACED.proxy.text,
    referer: `http://127.0.0.1/?token=${MISPLACED.query.text}`,
  }
  const query = `?token=${MISPLACED.query.text}&access_token=${MISPLACED.query.text}`
  const paths = SUBJECTS.flatMap((subject) => targetsOf(routes, subject, 'sparse+http://127.0.0.1/'))
  const plain = [...new Set(paths.map(({ path }) => mount + path))]
  return [
    ...plain.flatMap((target) => [
      { method: 'GET', target, headers: strange },
      { method: 'GET', target: target + query, headers },
      { method: 'HEAD', target: target + query, headers },
      { method: 'GET', target: target + query, headers: {} },
      ...['PUT', 'POST', 'DELETE'].map((method) => ({ method, target: target + query, headers: {} })),
    ]),
    ...plain.flatMap((target, nth) =>
      [...rightCredentials(tokens), ...wrongCredentials()]
        .filter((_, n) => n % 4 === nth % 4)
        .map((authorization) => ({ method: 'GET', target, headers: { authorization } })),
    ),
    ...inPaths(mount, tokens, headers),
    ...inBodies(mount, headers),
    ...published(mount, headers),
  ]
}

/** Tokens of this registry, pasted where a name belongs. */
function inPaths(mount: string, tokens: readonly string[], headers: RawRequest['headers']) {
  return tokens.flatMap((token) =>
    ['GET', 'PUT', 'DELETE'].flatMap((method) =>
      [
        `/${token}`,
        `/${token}/config.json`,
        `/${token.slice(0, 2)}/${token.slice(2, 4)}/${token}`,
        `/api/v1/crates/${token}`,
        `/api/v1/crates/${token}/owners`,
        `/api/v1/crates/own-crate/${token}/download`,
        `/api/v1/crates/own-crate/${token}/yank`,
        `/api/v1/me/tokens/${token}`,
        `/me/tokens/${token}/revoke`,
        `/me/${token}`,
      ].map((path) => ({ method, target: mount + path, headers })),
    ),
  )
}

function inBodies(mount: string, headers: RawRequest['headers']): readonly RawRequest[] {
  const { text } = MISPLACED.body
  const bodies = [
    text,
    `{"token": ${text}`,
    `{"token": "${text}"}`,
    `["${text}"]`,
    `{"users": "${text}"}`,
    `{"users": [{"token": "${text}"}]}`,
    `{"api_token": "${text}"}`,
    `{"api_token": {"name": {"token": "${text}"}}}`,
  ].map((body) => Buffer.from(body))
  const frames = [
    Buffer.from(text),
    Buffer.from(
      encodePublishBody({ ...crateFile('own-odd').metadata(), [text]: text } as never, Buffer.from(text)),
    ),
    Buffer.from(encodePublishBody({ name: 5, vers: { token: text } } as never, Buffer.from(text))),
  ]
  const json = { ...headers, 'content-type': 'application/json' }
  const form = { ...headers, 'content-type': 'application/x-www-form-urlencoded' }
  return [
    ...['/api/v1/crates/own-crate/owners', '/api/v1/me/tokens'].flatMap((path) =>
      bodies.map((body) => ({ method: 'PUT', target: mount + path, headers: json, body })),
    ),
    ...frames.map((body) => ({ method: 'PUT', target: `${mount}/api/v1/crates/new`, headers, body })),
    ...bodies.map((body) => ({ method: 'POST', target: `${mount}/me/tokens`, headers: form, body })),
  ]
}

/** What is right, with a word of each kind of change. */
function published(mount: string, headers: RawRequest['headers']): readonly RawRequest[] {
  const crate = `${mount}/api/v1/crates/own-crate`
  const body = publishBody(crateFile('own-crate', '2.0.0'))
  return [
    { method: 'PUT', target: `${mount}/api/v1/crates/new`, headers, body },
    { method: 'DELETE', target: `${crate}/1.0.0/yank`, headers },
    { method: 'PUT', target: `${crate}/1.0.0/unyank`, headers },
  ]
}
