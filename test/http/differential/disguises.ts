import type { Place } from './spellings.ts'

/** Headers that must not get more than the request has without them. */
export interface Disguise {
  readonly title: string
  /** Methods that it is tried with; absent: all. */
  readonly methods?: readonly string[]
  headers(
    path: string,
    place: Place & { readonly etags: readonly string[] },
  ): Readonly<Record<string, string>>
}

const READS = ['GET', 'HEAD']

export const DISGUISES: readonly Disguise[] = [
  { title: 'a range', methods: READS, headers: () => ({ range: 'bytes=0-0' }) },
  { title: 'a range at the end', methods: READS, headers: () => ({ range: 'bytes=-1' }) },
  { title: 'a range beyond', methods: READS, headers: () => ({ range: 'bytes=99999999-' }) },
  {
    title: 'the right entity tags',
    methods: READS,
    headers: (_, { etags }) => ({ 'if-none-match': etags.join(', ') }),
  },
  { title: 'any entity tag', methods: READS, headers: () => ({ 'if-none-match': '*' }) },
  {
    title: 'a range if the entity tag is right',
    methods: READS,
    headers: (_, { etags }) => ({ range: 'bytes=0-0', 'if-range': etags[0] ?? '' }),
  },
  {
    title: 'if modified since',
    methods: READS,
    headers: () => ({ 'if-modified-since': 'Sat, 01 Jan 2050 00:00:00 GMT' }),
  },
  { title: 'wants a page', methods: READS, headers: () => ({ accept: 'text/html' }) },
  { title: 'wants JSON', methods: READS, headers: () => ({ accept: 'application/json' }) },
  { title: 'another method by header', headers: () => ({ 'x-http-method-override': 'GET' }) },
  { title: 'removal by header', methods: READS, headers: () => ({ 'x-http-method-override': 'DELETE' }) },
  {
    title: 'the path again in headers',
    headers: (path) => ({ 'x-original-url': path, 'x-rewrite-url': path }),
  },
  {
    title: 'a path without a login in headers',
    headers: (_, { mount }) => ({ 'x-original-url': `${mount}/me`, 'x-rewrite-url': `${mount}/me` }),
  },
  {
    title: 'from this machine, by its own word',
    methods: READS,
    headers: () => ({ 'x-forwarded-for': '127.0.0.1', 'x-real-ip': '127.0.0.1', forwarded: 'for=127.0.0.1' }),
  },
  {
    title: 'a user by header',
    headers: () => ({ 'x-remote-user': 'root', 'x-forwarded-user': 'root', cookie: 'token=root' }),
  },
  {
    title: 'the credential named as a header of the connection',
    methods: READS,
    headers: () => ({ connection: 'keep-alive, authorization' }),
  },
]

/** A harmless path, and the real one in a header. */
export function smuggled(path: string): Readonly<Record<string, string>> {
  return { 'x-original-url': path, 'x-rewrite-url': path, 'x-original-uri': path, 'x-forwarded-path': path }
}
