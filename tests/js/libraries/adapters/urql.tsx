// The behaviour table's adapter for urql.
import { Client, cacheExchange, fetchExchange, gql, Provider, useQuery } from 'urql';
import { useAutoRefetch } from '../../../../js/react/index.js';
import { type Library, text } from '../library.js';

const query = gql`query Project($name: String!) { project(name: $name) { version } }`;

interface Data {
  project: { version: number };
}

/**
 * urql keeps the data of a paused query, and its result does not show that it is paused: `enabled`
 * does.
 */
const urql: Library = {
  name: 'urql 4, pause',
  app(load) {
    const client = new Client({
      url: 'http://localhost/graphql',
      exchanges: [cacheExchange, fetchExchange],
      preferGetMethod: false,
      fetch: async (_, init) => {
        const { variables } = JSON.parse(String(init?.body)) as { variables: { name: string } };
        const { version } = await load(variables.name);
        const data = { project: { __typename: variables.name, version } };
        return new Response(JSON.stringify({ data }), { headers: { 'content-type': 'application/json' } });
      },
    });
    return {
      Provider: ({ children }) => <Provider value={client}>{children}</Provider>,
      Row: ({ name, on }) => {
        const tuple = useQuery<Data>({ query, variables: { name }, pause: !on });
        const [{ data }] = useAutoRefetch(tuple, 'projects', { enabled: on });
        return <p>{text(data?.project)}</p>;
      },
      fetch: (name) => client.query(query, { name }, { requestPolicy: 'network-only' }).toPromise(),
    };
  },
};

export const libraries: Library[] = [urql];
