package dev.distillery.model.template;

import java.util.List;
import java.util.Map;

/**
 * What a function, filter, test or macro is called with.
 *
 * @param name of what is called, for messages
 * @param scope where
 * @param positional by place
 * @param named by name
 */
record Arguments(String name, Scope scope, List<Object> positional, Map<String, Object> named) {
  /** An argument by place or name. */
  Object get(int place, String key, Object otherwise) {
    return place < positional.size() ? positional.get(place) : named.getOrDefault(key, otherwise);
  }

  /** An argument that must be there. */
  Object get(int place, String key) {
    if (place >= positional.size() && !named.containsKey(key)) {
      throw new TemplateException("'" + name + "' of the chat template needs " + key);
    }
    return get(place, key, Value.NONE);
  }

  Text text(int place, String key) {
    return Value.text(get(place, key), key + " of '" + name + "'");
  }

  /** Refuses arguments that would be passed over. */
  Arguments atMost(int places, String... keys) {
    if (positional.size() > places || !List.of(keys).containsAll(named.keySet())) {
      throw new TemplateException(
          "'"
              + name
              + "' of the chat template has arguments that are not understood: "
              + positional.size()
              + " by place, "
              + named.keySet()
              + " by name");
    }
    return this;
  }
}
