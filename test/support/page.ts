import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { Answer } from './app.ts'

/** Asserts what holds for every page, whatever is on it: its headers, its frame, and that nothing in it can run or load. */
export function assertPage({ headers, text }: Answer, cacheControl = 'no-store'): void {
  assert.equal(headers.get('content-type'), 'text/html; charset=utf-8')
  assert.equal(headers.get('x-content-type-options'), 'nosniff')
  assert.equal(headers.get('cache-control'), cacheControl)
  assert.equal(headers.get('referrer-policy'), 'same-origin')
  assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin')
  const policy = headers.get('content-security-policy') ?? ''
  assert.match(
    policy,
    /^default-src 'none'; style-src 'sha256-[\w+/=]+'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
  )
  const style = /<style>([^<]*)<\/style>/.exec(text)?.[1] ?? ''
  assert.ok(policy.includes(`'sha256-${createHash('sha256').update(style).digest('base64')}'`))
  assert.match(text, /^<!doctype html>\n<html lang="en">/)
  assert.equal(text.match(/<h1/g)?.length, 1)
  assert.equal(text.match(/<main /g)?.length, 1)
  const outside = text.replace(style, '')
  assert.doesNotMatch(outside, /<(script|img|iframe|object|embed|link|base|style[^>])/i)
  const unquoted = outside.replace(/"[^"]*"/g, '""')
  assert.doesNotMatch(unquoted, /<[^>]*\s(on\w+|style|srcset|src)\s*=/i)
  assert.doesNotMatch(outside, /(href|action)="(?!https?:\/\/|mailto:|[/#])/i)
}
