// The entry `tinysse/react`: the provider and the hooks.
'use client';
/**
 * The hooks.
 *
 * ```tsx
 * import { SSEProvider, useAutoRefetch } from 'tinysse/react';
 *
 * const projects = useAutoRefetch(trpc.projects.getAll.useQuery(), 'projects');
 * ```
 *
 * @packageDocumentation
 */
export type { Executable, Mutable, Refetchable } from '../refetch/library.js';
export type { RefetchPolicy } from './context.js';
export { SSEProvider, type SSEProviderProps } from './provider.js';
export { type AutoRefetchOptions, useAutoRefetch } from './use-auto-refetch.js';
export { useSSEEvent } from './use-sse-event.js';
export { useSSEStatus } from './use-sse-status.js';
export { useSSEUpdates } from './use-sse-updates.js';
