import { CargoError } from '../errors.ts'

/** Nesting beyond this is refused: cargo parses by recursion, and deep input would overflow the stack of every client. */
const MAX_DEPTH = 64

const TOKEN = / *((?:r#)?[A-Za-z_][A-Za-z0-9_]*|"[^"]*"|[(),=])/y
const NAME = /^[A-Za-z_]/

/** The tokens of an expression, read one after the other. */
interface Tokens {
  /** The next one; `undefined` at the end. */
  peek(): string | undefined
  take(): string | undefined
  /** @throws {CargoError} unless the next token is `token`, which is taken */
  expect(token: string): void
  fail(wanted: string): never
}

/**
 * A platform condition such as `any(unix, target_os = "wasi")` in cargo's own spelling: one space after commas and around
 * `=`, no trailing comma. The grammar is that of cargo's `cargo-platform` crate, so whatever passes here cargo can parse.
 * @throws {CargoError} `invalid_dependency`, naming the expression and what was expected
 */
export function normalizeCfg(expression: string): string {
  const tokens = tokenize(expression)
  const normal = readExpression(tokens, 0)
  return tokens.peek() === undefined ? normal : tokens.fail('the end')
}

function tokenize(expression: string): Tokens {
  const all: string[] = []
  let index = 0
  let next = 0
  const fail = (wanted: string, found = all[next]): never => {
    const detail = `expected ${wanted}, found ${found === undefined ? 'the end' : `\`${found}\``}`
    throw new CargoError('invalid_dependency', `invalid platform \`cfg(${expression})\`: ${detail}`)
  }
  const end = expression.replace(/ +$/, '').length
  while (index < end) {
    TOKEN.lastIndex = index
    const token = TOKEN.exec(expression)?.[1]
    if (token === undefined)
      return fail('a name, a closed string, `(`, `)`, `,` or `=`', expression.slice(index))
    all.push(token)
    index = TOKEN.lastIndex
  }
  return {
    peek: () => all[next],
    take: () => all[next++],
    expect: (token) => (all[next] === token ? next++ : fail(`\`${token}\``)),
    fail,
  }
}

function readExpression(tokens: Tokens, depth: number): string {
  if (depth > MAX_DEPTH) return tokens.fail(`at most ${MAX_DEPTH} levels of nesting`)
  const name = tokens.peek()
  if (name === undefined || !NAME.test(name)) return tokens.fail('a name')
  tokens.take()
  if (name === 'all' || name === 'any') return `${name}(${readList(tokens, depth).join(', ')})`
  if (name === 'not') return readNot(tokens, depth)
  return tokens.peek() === '=' ? readPair(tokens, name) : name
}

function readList(tokens: Tokens, depth: number): string[] {
  const members: string[] = []
  tokens.expect('(')
  while (tokens.peek() !== ')') {
    members.push(readExpression(tokens, depth + 1))
    if (tokens.peek() !== ',') break
    tokens.take()
  }
  tokens.expect(')')
  return members
}

function readNot(tokens: Tokens, depth: number): string {
  tokens.expect('(')
  const member = readExpression(tokens, depth + 1)
  tokens.expect(')')
  return `not(${member})`
}

function readPair(tokens: Tokens, name: string): string {
  tokens.expect('=')
  const value = tokens.peek()
  if (value === undefined || !value.startsWith('"')) return tokens.fail('a string')
  tokens.take()
  return `${name} = ${value}`
}
