package dev.distillery.model.constrain;

/** An object with any names, which may come again. */
final class MapRule extends Container {
  private static final JsonText NAME = new JsonText(0, JsonText.UNBOUNDED);

  private final Member member;

  MapRule(Choice values) {
    super('{', '}');
    this.member = new Member(values);
  }

  @Override
  int innerHeight() {
    return 0;
  }

  @Override
  boolean mayEnd(Reading reading) {
    return true;
  }

  @Override
  boolean mayGoOn(Reading reading) {
    return member.fits(reading.depth());
  }

  @Override
  void element(Reading reading, Readings into) {
    NAME.begin(new Reading(member, 0, 0, reading.to(ELEMENT, 0)), into);
  }
}
