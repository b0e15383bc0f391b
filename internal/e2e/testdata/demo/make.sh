# usage: make.sh FILE
read -r word < source.txt
echo "$word" > "$1"
