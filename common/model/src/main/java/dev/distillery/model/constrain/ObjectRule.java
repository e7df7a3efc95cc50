package dev.distillery.model.constrain;

import java.util.List;

/**
 * An object with the members of a schema, in their order, each once; those that are not required
 * may be left out. Its count is the first member that may come.
 */
final class ObjectRule extends Container {
  private final ByteTrie names;
  private final List<Member> members;

  /** Of each member, the first one from there that must come; the number of members for none. */
  private final int[] nextRequired;

  private final Name name = new Name();

  /**
   * @param names with their quotes, as they are written
   * @param members in the same order
   * @param required whether each must come
   */
  ObjectRule(List<byte[]> names, List<Member> members, List<Boolean> required) {
    super('{', '}');
    this.names = new ByteTrie(names);
    this.members = List.copyOf(members);
    this.nextRequired = new int[members.size() + 1];
    nextRequired[members.size()] = members.size();
    for (int i = members.size() - 1; i >= 0; i--) {
      nextRequired[i] = required.get(i) ? i : nextRequired[i + 1];
    }
  }

  @Override
  int innerHeight() {
    int height = 0;
    for (int i = nextRequired[0]; i < members.size(); i = nextRequired[i + 1]) {
      height = Math.max(height, members.get(i).height());
    }
    return height;
  }

  @Override
  boolean mayEnd(Reading reading) {
    return nextRequired[(int) reading.count()] == members.size();
  }

  @Override
  boolean mayGoOn(Reading reading) {
    return leads(0, reading);
  }

  /** Whether a name that may come begins so. */
  private boolean leads(int node, Reading reading) {
    int count = names.count(node);
    for (int i = 0; i < count; i++) {
      int member = names.entry(node, i);
      if (member >= reading.count()
          && member <= nextRequired[(int) reading.count()]
          && members.get(member).fits(reading.depth())) {
        return true;
      }
    }
    return false;
  }

  @Override
  void element(Reading reading, Readings into) {
    name.begin(reading.to(ELEMENT, reading.count()), into);
  }

  /** A name; it lies over the object's reading with what may come from there. */
  private final class Name implements JsonRule {
    @Override
    public String needs() {
      return "";
    }

    @Override
    public void next(Reading reading, int b, Readings into) {
      Reading object = reading.below();
      int node = names.child(reading.at(), b);
      if (node < 0 || object == null || !leads(node, object)) {
        return;
      }
      if (names.endsAt(node) > 0) {
        int member = names.entry(node, 0);
        members.get(member).begin(object.to(ELEMENT, member + 1L), into);
      } else {
        into.add(reading.to(node, 0));
      }
    }
  }
}
