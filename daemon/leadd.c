#include <stdio.h>
int main(void)
{
    puts(LEADD_VERSION);
    return 0;
}
