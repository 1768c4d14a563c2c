// The behaviour table's adapter for SWR.
import useSWR, { SWRConfig, useSWRConfig } from 'swr';
import { useAutoRefetch } from '../../../../js/react/index.js';
import { type Library, text } from '../library.js';

const swr = (kind: string, config: object): Library => ({
  name: `SWR 2, ${kind}`,
  app(load) {
    const cache = new Map();
    let mutate: ((name: string) => unknown) | undefined;
    return {
      Provider: ({ children }) => <SWRConfig value={{ provider: () => cache, ...config }}>{children}</SWRConfig>,
      Row: ({ name, on }) => {
        mutate = useSWRConfig().mutate;
        const query = useAutoRefetch(useSWR(on ? name : null, load), 'projects');
        return <p>{text(query.data)}</p>;
      },
      fetch: (name) => mutate?.(name),
    };
  },
});

export const libraries: Library[] = [
  swr('as it comes', {}),
  swr('immutable', { revalidateIfStale: false, revalidateOnFocus: false, revalidateOnReconnect: false }),
];
