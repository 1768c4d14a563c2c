// The behaviour table's adapter for RTK Query.
import { configureStore } from '@reduxjs/toolkit';
import { createApi, skipToken } from '@reduxjs/toolkit/query/react';
import { Provider } from 'react-redux';
import { useAutoRefetch } from '../../../../js/react/index.js';
import { type Library, type Load, text } from '../library.js';

const api = (load: Load) =>
  createApi({
    baseQuery: async (name: string) => ({ data: await load(name) }),
    endpoints: (build) => ({ project: build.query<{ version: number }, string>({ query: (name) => name }) }),
  });

const rtk = (kind: 'skip' | 'skipToken'): Library => ({
  name: `RTK Query 2, ${kind}`,
  app(load) {
    const { reducer, middleware, reducerPath, useProjectQuery, endpoints } = api(load);
    const store = configureStore({
      reducer: { [reducerPath]: reducer },
      middleware: (defaults) => defaults().concat(middleware),
    });
    return {
      Provider: ({ children }) => <Provider store={store}>{children}</Provider>,
      Row: ({ name, on }) => {
        const arg = kind === 'skip' || on ? name : skipToken;
        const query = useProjectQuery(arg, { skip: kind === 'skip' && !on });
        useAutoRefetch(query, 'projects');
        return <p>{text(query.currentData)}</p>;
      },
      fetch: (name) => store.dispatch(endpoints.project.initiate(name, { forceRefetch: true, subscribe: false })),
    };
  },
});

export const libraries: Library[] = [rtk('skip'), rtk('skipToken')];
