// The hook that keeps the value of the last committed render.
'use client';
import { type RefObject, useEffect, useInsertionEffect, useLayoutEffect, useRef } from 'react';

/** The value of the last committed render, for callbacks that outlive a render. */
export function useLatest<T>(value: T): RefObject<T> {
  const ref = useRef(value);
  // The first of all effects, so that the others find it there.
  useInsertionEffect(() => {
    ref.current = value;
  });
  return ref;
}

/** Runs in the commit itself; React 18 complains of layout effects on a server. */
export const useCommit = typeof document === 'undefined' ? useEffect : useLayoutEffect;
