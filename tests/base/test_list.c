/* SPDX-License-Identifier: MIT */
#include "base/list.h"
#include "kit.h"

typedef struct item {
    int before; /* so that the link is not at the beginning */
    iso__link link;
    char name;
} item;

static const char *names_of(const iso__link *head)
{
    static char names[64];
    const iso__link *at;
    size_t count = 0;

    for (at = head->next; at != head; at = at->next) {
        CHECK_PTR(at->next->prev, at);
        CHECK_PTR(at->prev->next, at);
        names[count++] = ISO__CONTAINER(at, const item, link)->name;
    }
    names[count] = '\0';
    return names;
}

static void fill(iso__link *head, item *items, const char *names)
{
    iso__list_init(head);
    for (; *names != '\0'; names++, items++) {
        items->name = *names;
        iso__list_push(head, &items->link);
    }
}

KIT_TEST(a_new_list_is_empty)
{
    iso__link head;

    iso__list_init(&head);
    CHECK(iso__list_empty(&head));
    CHECK_PTR(iso__list_pop(&head), NULL);
}

KIT_TEST(what_is_pushed_first_is_popped_first)
{
    iso__link head;
    item items[3];

    fill(&head, items, "abc");
    CHECK_PTR(iso__list_pop(&head), &items[0].link);
    CHECK_PTR(iso__list_pop(&head), &items[1].link);
    CHECK_PTR(iso__list_pop(&head), &items[2].link);
    CHECK(iso__list_empty(&head));
}

KIT_TEST(push_front_puts_before_all_others)
{
    iso__link head;
    item items[2];
    item first = { 0, { NULL, NULL }, 'x' };

    fill(&head, items, "ab");
    iso__list_push_front(&head, &first.link);
    CHECK_STR(names_of(&head), "xab");
}

KIT_TEST(insert_puts_before_a_member)
{
    iso__link head;
    item items[2];
    item between = { 0, { NULL, NULL }, 'x' };

    fill(&head, items, "ab");
    iso__list_insert(&items[1].link, &between.link);
    CHECK_STR(names_of(&head), "axb");
}

KIT_TEST(a_member_is_taken_out_from_anywhere)
{
    iso__link head;
    item items[4];

    fill(&head, items, "abcd");
    iso__list_remove(&items[1].link);
    CHECK_STR(names_of(&head), "acd");
    iso__list_remove(&items[3].link);
    CHECK_STR(names_of(&head), "ac");
    iso__list_remove(&items[0].link);
    CHECK_STR(names_of(&head), "c");
}

KIT_TEST(a_link_knows_whether_it_is_in_a_list)
{
    iso__link head;
    item one = { 0, { NULL, NULL }, 'a' };

    iso__list_init(&head);
    CHECK(!iso__link_is_in(&one.link));
    iso__list_push(&head, &one.link);
    CHECK(iso__link_is_in(&one.link));
    iso__list_remove_if_in(&one.link);
    CHECK(!iso__link_is_in(&one.link));
    iso__list_remove_if_in(&one.link); /* and once more does no harm */
    CHECK(iso__list_empty(&head));
}

KIT_TEST(splice_moves_all_to_the_end_in_order)
{
    iso__link to;
    iso__link from;
    item a[2];
    item b[3];

    fill(&to, a, "ab");
    fill(&from, b, "xyz");
    iso__list_splice(&to, &from);
    CHECK_STR(names_of(&to), "abxyz");
    CHECK(iso__list_empty(&from));
}

KIT_TEST(splice_of_an_empty_list_changes_nothing)
{
    iso__link to;
    iso__link from;
    item a[2];

    fill(&to, a, "ab");
    iso__list_init(&from);
    iso__list_splice(&to, &from);
    CHECK_STR(names_of(&to), "ab");
    iso__list_splice(&from, &to); /* into an empty one */
    CHECK_STR(names_of(&from), "ab");
    CHECK(iso__list_empty(&to));
}

static const kit_case cases[] = {
    KIT_CASE(a_new_list_is_empty),
    KIT_CASE(what_is_pushed_first_is_popped_first),
    KIT_CASE(push_front_puts_before_all_others),
    KIT_CASE(insert_puts_before_a_member),
    KIT_CASE(a_member_is_taken_out_from_anywhere),
    KIT_CASE(a_link_knows_whether_it_is_in_a_list),
    KIT_CASE(splice_moves_all_to_the_end_in_order),
    KIT_CASE(splice_of_an_empty_list_changes_nothing),
};

KIT_MAIN(cases)
