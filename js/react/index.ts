'use client';
/**
 * The hooks.
 *
 * ```tsx
 * import { SseProvider, useAutoRefetch } from 'tinysse/react';
 *
 * const projects = useAutoRefetch(trpc.projects.getAll.useQuery(), 'projects');
 * ```
 *
 * @packageDocumentation
 */
export type { RefetchPolicy } from './context.js';
export { SseProvider, type SseProviderProps } from './provider.js';
export { type AutoRefetchOptions, type Refetchable, useAutoRefetch } from './use-auto-refetch.js';
export { useSseEvent } from './use-sse-event.js';
export { useSseStatus } from './use-sse-status.js';
export { useSSEUpdates } from './use-sse-updates.js';
