package dev.distillery.core.text;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Gives numbers to tokens. The order of the numbers is the order in which an index looks at a
 * text's elements: the higher the number, the rarer the element should be. A vocabulary that grows
 * with its texts comes near to that by itself, since rare tokens are met late; one that is made for
 * known texts is given its elements from the most frequent to the rarest. The order changes the
 * speed and never a result.
 */
public final class WordNumbers {
  private final Map<String, Integer> numbers;

  /** An empty one, to be grown by {@link #add}. */
  public WordNumbers() {
    numbers = new HashMap<>();
  }

  /** One that knows these elements (see {@link #elementsOf}), numbered in the list's order. */
  public WordNumbers(List<String> elements) {
    numbers = new HashMap<>(elements.size() * 2);
    for (String element : elements) {
      numbers.putIfAbsent(element, numbers.size());
    }
  }

  /** How many elements it knows. */
  public int size() {
    return numbers.size();
  }

  /** A list's numbers; what is unknown becomes known. */
  public TokenList add(List<String> tokens) {
    for (String element : elementsOf(tokens)) {
      numbers.putIfAbsent(element, numbers.size());
    }
    return encode(tokens);
  }

  /** A list's numbers; what is unknown is left out. */
  public TokenList encode(List<String> tokens) {
    int[] sequence = encodeAll(tokens);
    int[] elements = encodeAll(Arrays.asList(elementsOf(tokens)));
    Arrays.sort(elements);
    for (int i = 0, j = elements.length - 1; i < j; i++, j--) {
      int swapped = elements[i];
      elements[i] = elements[j];
      elements[j] = swapped;
    }
    return TokenList.of(tokens.size(), sequence, elements);
  }

  /**
   * The elements of a token list: the first occurrence of a token is named as the token, the n-th
   * one by the token, a NUL character and n.
   */
  public static String[] elementsOf(List<String> tokens) {
    Map<String, Integer> seen = new HashMap<>(tokens.size() * 2);
    String[] elements = new String[tokens.size()];
    int i = 0;
    for (String token : tokens) {
      int occurrence = seen.merge(token, 1, Integer::sum);
      elements[i++] = occurrence == 1 ? token : token + '\0' + occurrence;
    }
    return elements;
  }

  private int[] encodeAll(List<String> names) {
    int[] encoded = new int[names.size()];
    int known = 0;
    for (String name : names) {
      Integer number = numbers.get(name);
      if (number != null) {
        encoded[known++] = number;
      }
    }
    return known == encoded.length ? encoded : Arrays.copyOf(encoded, known);
  }
}
