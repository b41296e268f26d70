/** What is here at once, or will be. */
export type Soon<T> = T | Promise<T>

/**
 * Goes on with what is here, at once if it is. Why: on the way of an answer from memory a dozen promises would cost as
 * much as all else that is done for it.
 */
export function whenHere<T, U>(value: Soon<T>, next: (value: T) => Soon<U>): Soon<U> {
  return value instanceof Promise ? value.then(next) : next(value)
}
